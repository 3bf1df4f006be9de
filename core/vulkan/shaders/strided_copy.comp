// SPDX-License-Identifier: Apache-2.0
// Moves the elements of one strided tensor to the places of another.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"
#include "lib/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(binding = 0) readonly buffer From { WORD from[]; };
layout(binding = 1) writeonly buffer To { WORD to[]; };
layout(push_constant) uniform Push {
    uint outer;
    uint from_start;
    uint to_start;
    uint shape[8];
    uint from_strides[8];
    uint to_strides[8];
} p;

void main() {
    FOR_EACH_ELEMENT(x, y, z) {
        uint a = p.from_start + x * p.from_strides[0] + y * p.from_strides[1];
        uint b = p.to_start + x * p.to_strides[0] + y * p.to_strides[1];
        uint rest = z;
        for (uint axis = 2; rest != 0; ++axis) {
            const uint at = rest % p.shape[axis];
            rest /= p.shape[axis];
            a += at * p.from_strides[axis];
            b += at * p.to_strides[axis];
        }
        to[b] = from[a];
    }
}
