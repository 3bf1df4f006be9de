// SPDX-License-Identifier: Apache-2.0
// Normalisation by given means and variances, one pair a channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kHasScale = false;
layout(constant_id = 1) const bool kHasBias = false;
layout(binding = 0) readonly buffer X { SCALAR x[]; };
layout(binding = 1) readonly buffer Mean { SCALAR mean[]; };
layout(binding = 2) readonly buffer Variance { SCALAR variance[]; };
layout(binding = 3) readonly buffer Scale { SCALAR scale[]; };
layout(binding = 4) readonly buffer Bias { SCALAR bias[]; };
layout(binding = 5) writeonly buffer Y { SCALAR y[]; };
layout(push_constant) uniform Push {
    uint count;
    uint channels;
    uint stride; // of the channels' axis
    float epsilon;
} p;

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const uint c = i / p.stride % p.channels;
        float value = (float(x[i]) - float(mean[c])) / sqrt(float(variance[c]) + p.epsilon);
        if (kHasScale) {
            value *= float(scale[c]);
        }
        if (kHasBias) {
            value += float(bias[c]);
        }
        y[i] = SCALAR(value);
    }
}
