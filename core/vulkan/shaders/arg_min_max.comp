// SPDX-License-Identifier: Apache-2.0
// Index of the smallest or largest element along an axis: an invocation searches one line. The first
// of equal elements wins.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kLargest = true;
layout(constant_id = 1) const bool kLong = false; // int64
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { uint to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint members; // of a line
    uint stride;  // of the axis
} p;

void main() {
    for (uint line = gl_GlobalInvocationID.x; line < p.lines; line += gl_NumWorkGroups.x * 64) {
        const uint base = line / p.stride * p.stride * p.members + line % p.stride;
        float champion = float(from[base]);
        uint best = 0;
        for (uint i = 1; i < p.members; ++i) {
            const float value = float(from[base + i * p.stride]);
            if (kLargest ? value > champion : value < champion) {
                champion = value;
                best = i;
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
