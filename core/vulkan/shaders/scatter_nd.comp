// SPDX-License-Identifier: Apache-2.0
// scatter_nd, into a copy of its first operand: an invocation takes one element of the blocks of all
// tuples in their order, so that of equal coordinates the last wins.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kIndexType = 2;
layout(binding = 0) readonly buffer Updates { WORD updates[]; };
layout(binding = 1) readonly buffer Indices { uint indices[]; };
layout(binding = 2) buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint tuples;
    uint block; // elements that one tuple of coordinates names
    uint axes;  // coordinates of a tuple
    uint shape[8]; // of the result, outermost axis first
    uint strides[8];
} p;
#include "lib/index.glsl"

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.block; i += gl_NumWorkGroups.x * 64) {
        for (uint tuple = 0; tuple < p.tuples; ++tuple) {
            uint at = i;
            for (uint axis = 0; axis < p.axes; ++axis) {
                at += read_index(tuple * p.axes + axis, p.shape[axis]) * p.strides[axis];
            }
            to[at] = WORD(updates[tuple * p.block + i]);
        }
    }
}
