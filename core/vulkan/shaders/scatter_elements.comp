// SPDX-License-Identifier: Apache-2.0
// scatter_elements, into a copy of its first operand: an invocation takes the updates of one line in
// their order, so that of equal indices the last wins.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kIndexType = 2;
layout(binding = 0) readonly buffer Updates { WORD updates[]; };
layout(binding = 1) readonly buffer Indices { uint indices[]; };
layout(binding = 2) buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint size;  // of the axis
    uint block; // elements behind the axis
    uint picks; // indices along the axis
} p;
#include "lib/index.glsl"

void main() {
    for (uint line = gl_GlobalInvocationID.x; line < p.lines; line += gl_NumWorkGroups.x * 64) {
        const uint outer = line / p.block;
        const uint within = line % p.block;
        for (uint i = 0; i < p.picks; ++i) {
            const uint at = (outer * p.picks + i) * p.block + within;
            const uint pick = read_index(at, p.size);
            to[(outer * p.size + pick) * p.block + within] = WORD(updates[at]);
        }
    }
}
