// SPDX-License-Identifier: Apache-2.0
// gather: slices of an axis picked by a tensor of indices; and gather_elements, an element an index.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/word.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kIndexType = 2;
layout(constant_id = 1) const bool kElements = false;
layout(binding = 0) readonly buffer X { WORD from[]; };
layout(binding = 1) readonly buffer Indices { uint indices[]; };
layout(binding = 2) writeonly buffer Y { WORD to[]; };
layout(push_constant) uniform Push {
    uint count; // of the output
    uint size;  // of the axis
    uint block; // elements of x behind the axis
    uint picks; // indices; of gather_elements those along the axis
} p;
#include "lib/index.glsl"

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const uint within = i % p.block;
        const uint line = i / p.block;
        const uint pick = read_index(kElements ? i : line % p.picks, p.size);
        to[i] = WORD(from[(line / p.picks * p.size + pick) * p.block + within]);
    }
}
