// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one float; -DTEST=1: with a truth value as uint8.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/activation.glsl"
#ifdef TEST
#extension GL_EXT_shader_8bit_storage : require
#define RESULT uint8_t
#else
#define RESULT SCALAR
#endif

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFunction = 0;
layout(binding = 0) readonly buffer X { SCALAR x[]; };
layout(binding = 1) writeonly buffer Y { RESULT y[]; };
layout(push_constant) uniform Push {
    uint count;
    float alpha, beta;
} p;

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const float value = activate(kFunction, float(x[i]), p.alpha, p.beta);
#ifdef TEST
        y[i] = uint8_t(uint(value));
#else
        y[i] = SCALAR(value);
#endif
    }
}
