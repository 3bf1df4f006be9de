// SPDX-License-Identifier: Apache-2.0
// resample2d: which positions of an axis a result blends was tabled when the program was made. The
// tensor is seen as [outer][first axis][middle][second axis][inner], where outer, middle and inner
// are the other axes.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kLinear = false;
struct Blend {
    uint low, high;
    float weight; // of high
    uint unused;
};
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) readonly buffer Blends { Blend blends[]; }; // of the first axis, then the second
layout(binding = 2) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint outer, middle, inner;
    uint in_first, in_second, out_first, out_second;
} p;

float mix_of(float a, float b, float weight) {
    // An infinity that has no weight must not become NaN.
    return weight == 0.0 ? a : a * (1.0 - weight) + b * weight;
}

void main() {
    const uint line = p.out_second * p.inner; // one position of the axes before the second
    for (uint row = gl_WorkGroupID.y; row < p.outer * p.out_first * p.middle;
         row += gl_NumWorkGroups.y) {
        const uint middle = row % p.middle;
        const uint first = row / p.middle % p.out_first;
        const uint outer = row / p.middle / p.out_first;
        const Blend v = blends[first];
        const uint low = ((outer * p.in_first + v.low) * p.middle + middle) * p.in_second;
        const uint high = ((outer * p.in_first + v.high) * p.middle + middle) * p.in_second;
        for (uint i = gl_GlobalInvocationID.x; i < line; i += gl_NumWorkGroups.x * 64) {
            const uint second = i / p.inner;
            const uint inner = i - second * p.inner;
            const Blend h = blends[p.out_first + second];
            float value = float(from[(low + h.low) * p.inner + inner]);
            if (kLinear) {
                const float top =
                    mix_of(value, float(from[(low + h.high) * p.inner + inner]), h.weight);
                const float bottom = mix_of(float(from[(high + h.low) * p.inner + inner]),
                                            float(from[(high + h.high) * p.inner + inner]), h.weight);
                value = mix_of(top, bottom, v.weight);
            }
            to[row * line + i] = SCALAR(value);
        }
    }
}
