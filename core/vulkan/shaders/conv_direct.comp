// SPDX-License-Identifier: Apache-2.0
// Convolution without shared memory, of any number of groups: an invocation computes one pixel of a
// few blocks of output channels. All invocations of a workgroup use the same weights.
// -DTRANSPOSED=1: transposed convolution, as a gather.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 5) const uint kBlocks = 1; // per invocation; divides group_blocks

// The input row or column that a tap reaches from an output one; negative where there is none.
int source(int position, uint tap, int stride, int dilation, int padding) {
#ifdef TRANSPOSED
    const int reached = position + padding - int(tap) * dilation;
    return reached >= 0 && reached % stride == 0 ? reached / stride : -1;
#else
    return position * stride + int(tap) * dilation - padding;
#endif
}

void main() {
    const uint pixels = p.out_height * p.out_width;
    const uint block = gl_WorkGroupID.y * kBlocks;
    const uint group = block / p.group_blocks;
    const uint taps = p.kernel_height * p.kernel_width;
    for (uint n = gl_WorkGroupID.z; n < p.batches; n += gl_NumWorkGroups.z) {
        for (uint pixel = gl_GlobalInvocationID.x; pixel < pixels;
             pixel += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
            const int oy = int(pixel / p.out_width);
            const int ox = int(pixel % p.out_width);
            vec4 sums[kBlocks];
            for (uint b = 0; b < kBlocks; ++b) {
                sums[b] = vec4(bias[block + b]);
            }
            for (uint ky = 0; ky < p.kernel_height; ++ky) {
                const int iy = source(oy, ky, p.stride_y, p.dilation_y, p.top);
                for (uint kx = 0; kx < p.kernel_width; ++kx) {
                    const int ix = source(ox, kx, p.stride_x, p.dilation_x, p.left);
                    if (uint(iy) >= p.in_height || uint(ix) >= p.in_width) {
                        continue;
                    }
                    const uint x = ((n * p.in_height + uint(iy)) * p.in_width + uint(ix)) *
                                       p.in_channels + group * p.group_inputs;
                    const uint w = (block * taps + ky * p.kernel_width + kx) * p.group_inputs;
                    const uint next = taps * p.group_inputs; // from one block's weights to the next's
                    if (kVectorInput) {
                        for (uint c = 0; c < p.group_inputs; c += 4) {
                            const PART_VECTOR value = PART_VECTOR(x_vectors[(x + c) / 4]);
                            for (uint b = 0; b < kBlocks; ++b) {
                                const uint at = w + b * next + c;
#ifdef HALF_MATH
                                f16vec4 part = value.x * weights[at];
#else
#define part sums[b]
                                part += value.x * vec4(weights[at]);
#endif
                                part += value.y * PART_VECTOR(weights[at + 1]);
                                part += value.z * PART_VECTOR(weights[at + 2]);
                                part += value.w * PART_VECTOR(weights[at + 3]);
#ifdef HALF_MATH
                                sums[b] += vec4(part);
#endif
                            }
                        }
                    } else {
                        for (uint c = 0; c < p.group_inputs; ++c) {
                            const float value = float(x_scalars[x + c]);
                            for (uint b = 0; b < kBlocks; ++b) {
                                sums[b] += value * vec4(weights[w + b * next + c]);
                            }
                        }
                    }
                }
            }
            for (uint b = 0; b < kBlocks; ++b) {
                finish_block(n * pixels + pixel, block + b, sums[b]);
            }
        }
    }
}
