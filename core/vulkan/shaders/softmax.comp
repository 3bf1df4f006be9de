// SPDX-License-Identifier: Apache-2.0
// softmax: a workgroup normalises one line along the axis.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x_id = 0) in; // a power of two, at most 256
#include "lib/lanes.glsl"
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint members; // of a line
    uint stride; // of the axis
} p;

void main() {
    for (uint line = gl_WorkGroupID.x; line < p.lines; line += gl_NumWorkGroups.x) {
        const uint base = line / p.stride * p.stride * p.members + line % p.stride;
        float top = float(from[base]);
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const float value = float(from[base + i * p.stride]);
            top = is_nan(value) || value > top ? value : top;
        }
        top = over_group(kLargestOf, top);
        float sum = 0.0;
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            sum += exp(float(from[base + i * p.stride]) - top);
        }
        sum = over_group(kTotal, sum);
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const float value = exp(float(from[base + i * p.stride]) - top) / sum;
            to[base + i * p.stride] = SCALAR(value);
        }
    }
}
