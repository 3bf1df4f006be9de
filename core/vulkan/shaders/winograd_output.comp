// SPDX-License-Identifier: Apache-2.0
// The last step of a 3x3 convolution by Winograd's F(2,3): the 16 sums of every patch as 2x2 pixels.
// An invocation computes a block of four channels of them.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) readonly buffer Sums { vec4 sums[]; }; // [number][patch][block]

void main() {
    const uint patch_columns = (p.out_width + 1) / 2;
    const uint patch_rows = (p.out_height + 1) / 2;
    const uint count = p.batches * patch_rows * patch_columns * p.blocks;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
        const uint block = i % p.blocks;
        const uint patch_at = i / p.blocks;
        const uint x = patch_at % patch_columns * 2;
        const uint y = patch_at / patch_columns % patch_rows * 2;
        const uint n = patch_at / (patch_columns * patch_rows);
        vec4 rows[2][4];
        for (uint k = 0; k < 4; ++k) {
            const uint at = k * count + i;
            const vec4 a = sums[at];
            const vec4 b = sums[at + 4 * count];
            const vec4 c = sums[at + 8 * count];
            const vec4 d = sums[at + 12 * count];
            rows[0][k] = a + b + c;
            rows[1][k] = b - c - d;
        }
        for (uint r = 0; r < 2; ++r) {
            const vec4 left = rows[r][0] + rows[r][1] + rows[r][2];
            const vec4 right = rows[r][1] - rows[r][2] - rows[r][3];
            const uint pixel = (n * p.out_height + y + r) * p.out_width + x;
            if (y + r < p.out_height) {
                finish_block(pixel, block, left + vec4(bias[block]));
                if (x + 1 < p.out_width) {
                    finish_block(pixel + 1, block, right + vec4(bias[block]));
                }
            }
        }
    }
}
