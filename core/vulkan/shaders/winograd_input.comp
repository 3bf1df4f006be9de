// SPDX-License-Identifier: Apache-2.0
// The first step of a 3x3 convolution by Winograd's F(2,3): every overlapping patch of 4x4 pixels as
// the 16 numbers that are multiplied, [number][patch][channel] in float32. An invocation transforms
// four channels of a patch.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x = 64) in;
layout(binding = 0) readonly buffer X { VECTOR x_vectors[]; };
layout(binding = 1) writeonly buffer V { vec4 factors[]; };
layout(push_constant) uniform Push {
    uint batches;
    uint in_height, in_width;
    uint vectors;                // of channels of one pixel
    uint patch_rows, patch_columns; // of one picture
    int top, left;
} p;

vec4 load(uint n, int y, int x, uint vector) {
    if (uint(y) >= p.in_height || uint(x) >= p.in_width) {
        return vec4(0.0);
    }
    return vec4(x_vectors[((n * p.in_height + uint(y)) * p.in_width + uint(x)) * p.vectors + vector]);
}

void main() {
    const uint patches = p.batches * p.patch_rows * p.patch_columns;
    const uint count = patches * p.vectors;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * 64) {
        const uint vector = i % p.vectors;
        const uint patch_at = i / p.vectors;
        const int x = int(patch_at % p.patch_columns * 2) - p.left;
        const int y = int(patch_at / p.patch_columns % p.patch_rows * 2) - p.top;
        const uint n = patch_at / (p.patch_columns * p.patch_rows);
        vec4 rows[4][4]; // the rows of the patch, transformed
        for (int r = 0; r < 4; ++r) {
            const vec4 a = load(n, y + r, x, vector);
            const vec4 b = load(n, y + r, x + 1, vector);
            const vec4 c = load(n, y + r, x + 2, vector);
            const vec4 d = load(n, y + r, x + 3, vector);
            rows[r][0] = a - c;
            rows[r][1] = b + c;
            rows[r][2] = c - b;
            rows[r][3] = b - d;
        }
        for (uint k = 0; k < 4; ++k) {
            const uint at = k * count + i;
            factors[at] = rows[0][k] - rows[2][k];
            factors[at + 4 * count] = rows[1][k] + rows[2][k];
            factors[at + 8 * count] = rows[2][k] - rows[1][k];
            factors[at + 12 * count] = rows[1][k] - rows[3][k];
        }
    }
}
