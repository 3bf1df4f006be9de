// SPDX-License-Identifier: Apache-2.0
// softmax: a workgroup normalises one line along the axis.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/math.glsl"

layout(local_size_x_id = 0) in; // a power of two, at most 256
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint lines;
    uint members; // of a line
    uint stride; // of the axis
} p;

shared float shares[256];

// The largest or the sum of all invocations' values, in every invocation.
float over_all(float value, bool largest) {
    barrier(); // the last reader of `shares` is done
    shares[gl_LocalInvocationIndex] = value;
    for (uint half_size = gl_WorkGroupSize.x / 2; half_size > 0; half_size /= 2) {
        barrier();
        if (gl_LocalInvocationIndex < half_size) {
            const float a = shares[gl_LocalInvocationIndex];
            const float b = shares[gl_LocalInvocationIndex + half_size];
            shares[gl_LocalInvocationIndex] = largest ? (is_nan(b) || b > a ? b : a) : a + b;
        }
    }
    barrier();
    return shares[0];
}

void main() {
    for (uint line = gl_WorkGroupID.x; line < p.lines; line += gl_NumWorkGroups.x) {
        const uint base = line / p.stride * p.stride * p.members + line % p.stride;
        float top = float(from[base]);
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const float value = float(from[base + i * p.stride]);
            top = is_nan(value) || value > top ? value : top;
        }
        top = over_all(top, true);
        float sum = 0.0;
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            sum += exp(float(from[base + i * p.stride]) - top);
        }
        sum = over_all(sum, false);
        for (uint i = gl_LocalInvocationIndex; i < p.members; i += gl_WorkGroupSize.x) {
            const float value = exp(float(from[base + i * p.stride]) - top) / sum;
            to[base + i * p.stride] = SCALAR(value);
        }
    }
}
