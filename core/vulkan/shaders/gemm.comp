// SPDX-License-Identifier: Apache-2.0
// Matrix products with any strides and up to four batch axes: alpha * A * B + beta * C. Tiles of both
// factors are staged in shared memory.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/activation.glsl"

const uint kTile = 16;
layout(local_size_x = 16, local_size_y = 4) in; // an invocation has four rows
layout(constant_id = 0) const uint kActivation = 0;
layout(constant_id = 1) const bool kHasC = false;
layout(binding = 0) readonly buffer A { SCALAR a[]; };
layout(binding = 1) readonly buffer B { SCALAR b[]; };
layout(binding = 2) readonly buffer C { SCALAR c[]; };
layout(binding = 3) writeonly buffer Y { SCALAR y[]; };
layout(push_constant) uniform Push {
    uint rows, columns, depth;
    uint a_row, a_depth, b_depth, b_column, c_row, c_column; // element strides
    float alpha, beta, activation_alpha, activation_beta;
    uint batches;
    uint batch_shape[4]; // innermost first
    uint a_batch[4];
    uint b_batch[4];
} p;

shared PART a_tile[kTile][kTile + 1];
shared PART b_tile[kTile][kTile + 1];

void main() {
    const uint x = gl_LocalInvocationID.x;
    const uint column = gl_WorkGroupID.x * kTile + x;
    const uint first_row = gl_WorkGroupID.y * kTile;
    for (uint n = gl_WorkGroupID.z; n < p.batches; n += gl_NumWorkGroups.z) {
        uint a_at = 0;
        uint b_at = 0;
        uint rest = n;
        for (uint axis = 0; axis < 4; ++axis) {
            const uint at = rest % p.batch_shape[axis];
            rest /= p.batch_shape[axis];
            a_at += at * p.a_batch[axis];
            b_at += at * p.b_batch[axis];
        }
        vec4 sums = vec4(0.0);
        for (uint k = 0; k < p.depth; k += kTile) {
            for (uint i = 0; i < 4; ++i) {
                const uint line = gl_LocalInvocationID.y * 4 + i;
                const bool in_a = first_row + line < p.rows && k + x < p.depth;
                const bool in_b = k + line < p.depth && column < p.columns;
                float from_a = 0.0;
                float from_b = 0.0;
                if (in_a) {
                    from_a = float(a[a_at + (first_row + line) * p.a_row + (k + x) * p.a_depth]);
                }
                if (in_b) {
                    from_b = float(b[b_at + (k + line) * p.b_depth + column * p.b_column]);
                }
                a_tile[line][x] = PART(from_a);
                b_tile[line][x] = PART(from_b);
            }
            barrier();
            PART_VECTOR part = PART_VECTOR(0.0);
            for (uint d = 0; d < kTile; ++d) {
                const PART value = b_tile[d][x];
                for (uint i = 0; i < 4; ++i) {
                    part[i] += a_tile[gl_LocalInvocationID.y * 4 + i][d] * value;
                }
            }
            sums += vec4(part);
            barrier();
        }
        for (uint i = 0; i < 4; ++i) {
            const uint row = first_row + gl_LocalInvocationID.y * 4 + i;
            if (row < p.rows && column < p.columns) {
                float value = p.alpha * sums[i];
                if (kHasC) {
                    value += p.beta * float(c[row * p.c_row + column * p.c_column]);
                }
                y[(n * p.rows + row) * p.columns + column] = SCALAR(
                    activate(kActivation, value, p.activation_alpha, p.activation_beta));
            }
        }
    }
}
