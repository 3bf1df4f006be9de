// SPDX-License-Identifier: Apache-2.0
// gather_nd: blocks picked by coordinates.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kIndexType = 2;
layout(binding = 0) readonly buffer X { WORD from[]; };
layout(binding = 1) readonly buffer Indices { uint indices[]; };
layout(binding = 2) writeonly buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint count; // of the output
    uint block; // elements that one tuple of coordinates picks
    uint axes;  // coordinates of a tuple
    uint shape[8]; // of x, outermost axis first
    uint strides[8];
} p;
#include "lib/index.glsl"

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const uint tuple = i / p.block;
        uint at = i % p.block;
        for (uint axis = 0; axis < p.axes; ++axis) {
            at += read_index(tuple * p.axes + axis, p.shape[axis]) * p.strides[axis];
        }
        to[i] = WORD(from[at]);
    }
}
