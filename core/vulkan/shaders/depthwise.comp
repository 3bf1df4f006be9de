// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution of a multiple of four channels: an invocation computes four channels of one
// pixel. The filter is packed as [row][column][channels], the bias likewise.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in;

void main() {
    const uint vectors = p.in_channels / 4;
    const uint line = vectors * p.out_width;
    for (uint n = gl_WorkGroupID.z; n < p.batches; n += gl_NumWorkGroups.z) {
        for (uint oy = gl_WorkGroupID.y; oy < p.out_height; oy += gl_NumWorkGroups.y) {
            for (uint i = gl_GlobalInvocationID.x; i < line;
                 i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
                const uint ox = i / vectors;
                const uint c = i - ox * vectors;
                vec4 sum = vec4(bias[c]);
                for (uint ky = 0; ky < p.kernel_height; ++ky) {
                    const int iy = int(oy) * p.stride_y + int(ky) * p.dilation_y - p.top;
                    if (uint(iy) >= p.in_height) {
                        continue;
                    }
                    const uint row = (n * p.in_height + uint(iy)) * p.in_width;
                    for (uint kx = 0; kx < p.kernel_width; ++kx) {
                        const int ix = int(ox) * p.stride_x + int(kx) * p.dilation_x - p.left;
                        if (uint(ix) < p.in_width) {
                            sum += vec4(x_vectors[(row + uint(ix)) * vectors + c]) *
                                   vec4(weights[(ky * p.kernel_width + kx) * vectors + c]);
                        }
                    }
                }
                // One channel a group, four of them a block.
                const uint pixel = (n * p.out_height + oy) * p.out_width + ox;
                finish_block(pixel, c, sum);
            }
        }
    }
}
