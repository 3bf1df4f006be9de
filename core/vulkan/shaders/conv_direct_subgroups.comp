// SPDX-License-Identifier: Apache-2.0
// conv_direct.comp for devices that load for every invocation by itself what all of a workgroup read:
// the invocations of a subgroup load different weights and hand them to each other. Needs subgroups
// of eight at least. Sums are named variables: an array would lie in memory there.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 5) const uint kBlocks = 1; // per invocation, 1 to 4; divides group_blocks

// Four input channels by one block, whose weights the lanes from `first` on have.
#define PRODUCT(sum, value, weights_of, first)                                                     \
    sum += value.x * subgroupBroadcast(weights_of, first) +                                        \
           value.y * subgroupBroadcast(weights_of, first + 1) +                                    \
           value.z * subgroupBroadcast(weights_of, first + 2) +                                    \
           value.w * subgroupBroadcast(weights_of, first + 3);

vec4 sum0, sum1, sum2, sum3;

// Four channels from `c` on; `next`: from one block's weights to the next's.
void add_vector(vec4 value, uint c, uint next) {
    const uint lane = gl_SubgroupInvocationID;
    const uint mine = min((lane >> 2) & 1, kBlocks - 1) * next + c + (lane & 3);
    const vec4 low = vec4(weights[mine]);
    PRODUCT(sum0, value, low, 0)
    if (kBlocks > 1) {
        PRODUCT(sum1, value, low, 4)
    }
    if (kBlocks > 2) {
        const uint above = min(2 + ((lane >> 2) & 1), kBlocks - 1) * next + c + (lane & 3);
        const vec4 high = vec4(weights[above]);
        PRODUCT(sum2, value, high, 0)
        if (kBlocks > 3) {
            PRODUCT(sum3, value, high, 4)
        }
    }
}

void add_scalar(float value, uint c, uint next) {
    const vec4 all = vec4(weights[min(gl_SubgroupInvocationID & 3, kBlocks - 1) * next + c]);
    sum0 += value * subgroupBroadcast(all, 0);
    if (kBlocks > 1) {
        sum1 += value * subgroupBroadcast(all, 1);
    }
    if (kBlocks > 2) {
        sum2 += value * subgroupBroadcast(all, 2);
    }
    if (kBlocks > 3) {
        sum3 += value * subgroupBroadcast(all, 3);
    }
}

// All invocations take the same way through the taps: those that are outside add zeros.
void add_taps(uint n, uint pixel, uint block) {
    const int oy = int(pixel / p.out_width);
    const int ox = int(pixel % p.out_width);
    const uint taps = p.kernel_height * p.kernel_width;
    const uint next = taps * p.group_inputs;
    const uint group = block / p.group_blocks;
    for (uint ky = 0; ky < p.kernel_height; ++ky) {
        const int iy = oy * p.stride_y + int(ky) * p.dilation_y - p.top;
        for (uint kx = 0; kx < p.kernel_width; ++kx) {
            const int ix = ox * p.stride_x + int(kx) * p.dilation_x - p.left;
            const bool inside = uint(iy) < p.in_height && uint(ix) < p.in_width;
            const uint place = ((n * p.in_height + uint(iy)) * p.in_width + uint(ix)) *
                                   p.in_channels + group * p.group_inputs;
            const uint x = inside ? place : 0;
            const uint w = (block * taps + ky * p.kernel_width + kx) * p.group_inputs;
            if (kVectorInput) {
                for (uint c = 0; c < p.group_inputs; c += 4) {
                    const vec4 value = vec4(x_vectors[(x + c) / 4]);
                    add_vector(inside ? value : vec4(0.0), w + c, next);
                }
            } else {
                for (uint c = 0; c < p.group_inputs; ++c) {
                    const float value = float(x_scalars[x + c]);
                    add_scalar(inside ? value : 0.0, w + c, next);
                }
            }
        }
    }
}

void main() {
    const uint pixels = p.out_height * p.out_width;
    const uint block = gl_WorkGroupID.y * kBlocks;
    for (uint n = gl_WorkGroupID.z; n < p.batches; n += gl_NumWorkGroups.z) {
        for (uint first = gl_WorkGroupID.x * gl_WorkGroupSize.x; first < pixels;
             first += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
            const uint pixel = first + gl_LocalInvocationIndex;
            sum0 = vec4(bias[block]);
            sum1 = vec4(bias[block + min(1, kBlocks - 1)]);
            sum2 = vec4(bias[block + min(2, kBlocks - 1)]);
            sum3 = vec4(bias[block + min(3, kBlocks - 1)]);
            add_taps(n, min(pixel, pixels - 1), block);
            if (pixel < pixels) {
                const uint place = n * pixels + pixel;
                finish_block(place, block, sum0);
                if (kBlocks > 1) {
                    finish_block(place, block + 1, sum1);
                }
                if (kBlocks > 2) {
                    finish_block(place, block + 2, sum2);
                }
                if (kBlocks > 3) {
                    finish_block(place, block + 3, sum3);
                }
            }
        }
    }
}
