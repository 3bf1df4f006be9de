// SPDX-License-Identifier: Apache-2.0
// Index of the smallest or largest element along an axis: a workgroup searches one line, first each
// invocation its share, then subgroups theirs. The first of equal elements wins; a NaN wins where it
// is the first element only.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "lib/float.glsl"
#include "lib/math.glsl"

layout(local_size_x_id = 0) in; // at most 256
layout(constant_id = 1) const bool kLargest = true;
layout(constant_id = 2) const bool kLong = false; // int64
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { uint to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint members; // of a line
    uint stride;  // of the axis
} p;

shared uint champions[256];
shared uint places[256];

// Greater for what wins: the order of the floats, both zeros being equal.
uint rank_of(float value) {
    const float x = value == 0.0 ? 0.0 : (kLargest ? value : -value);
    const uint bits = floatBitsToUint(x);
    return is_nan(value) ? 0u : ((bits >> 31) != 0 ? ~bits : bits | 0x80000000u);
}

void main() {
    for (uint line = gl_WorkGroupID.x; line < p.lines; line += gl_NumWorkGroups.x) {
        const uint base = line / p.stride * p.stride * p.members + line % p.stride;
        const float first = float(from[base]);
        uint champion = is_nan(first) ? 0xFFFFFFFFu : rank_of(first);
        uint best = 0;
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const uint rank = rank_of(float(from[base + i * p.stride]));
            if (rank > champion) {
                champion = rank;
                best = i;
            }
        }
        const uint top = subgroupMax(champion);
        const uint place = subgroupMin(champion == top ? best : 0xFFFFFFFFu);
        barrier(); // the last reader of the line before is done
        if (subgroupElect()) {
            champions[gl_SubgroupID] = top;
            places[gl_SubgroupID] = place;
        }
        barrier();
        if (gl_LocalInvocationIndex == 0) {
            champion = champions[0];
            best = places[0];
            for (uint i = 1; i < gl_NumSubgroups; ++i) {
                if (champions[i] > champion || (champions[i] == champion && places[i] < best)) {
                    champion = champions[i];
                    best = places[i];
                }
            }
            if (kLong) {
                to[line * 2] = best;
                to[line * 2 + 1] = 0;
            } else {
                to[line] = best;
            }
        }
    }
}
