// SPDX-License-Identifier: Apache-2.0
// triangular: a triangle of the last two axes, the rest zero.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kUpper = true;
layout(binding = 0) readonly buffer X { WORD from[]; };
layout(binding = 1) writeonly buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint count;
    uint rows, columns;
    int diagonal; // within the picture, so that no sum overflows
} p;

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const int column = int(i % p.columns);
        const int border = int(i / p.columns % p.rows) + p.diagonal;
        VALUE value = VALUE(0);
        if (kUpper ? column >= border : column <= border) {
            value = VALUE(from[i]);
        }
        to[i] = WORD(value);
    }
}
