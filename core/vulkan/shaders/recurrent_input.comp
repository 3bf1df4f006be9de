// SPDX-License-Identifier: Apache-2.0
// The part of a recurrent network that needs no state, for all steps at once: rows of the weights by
// the inputs, and the biases. sums[step][direction][picture][row], in float32.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/accurate_sum.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kBias = false;
layout(constant_id = 1) const bool kRecurrentBias = false; // added too
layout(binding = 0) readonly buffer X { SCALAR x[]; };
layout(binding = 1) readonly buffer Weight { SCALAR weight[]; };
layout(binding = 2) readonly buffer Bias { SCALAR bias[]; };
layout(binding = 3) readonly buffer RecurrentBias { SCALAR recurrent_bias[]; };
layout(binding = 4) writeonly buffer Sums { float sums[]; };
layout(push_constant) uniform Push {
    uint count; // of the sums
    uint directions, batches, rows, inputs;
} p;

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        const uint row = i % p.rows;
        const uint n = i / p.rows % p.batches;
        const uint direction = i / (p.rows * p.batches) % p.directions;
        const uint step = i / (p.rows * p.batches * p.directions);
        const uint from = (step * p.batches + n) * p.inputs;
        const uint of_direction = direction * p.rows + row;
        float sum = 0.0;
        float rest = 0.0;
        for (uint k = 0; k < p.inputs; ++k) {
            add_product(sum, rest, float(weight[of_direction * p.inputs + k]), float(x[from + k]));
        }
        if (kBias) {
            add_product(sum, rest, float(bias[of_direction]), 1.0);
        }
        if (kRecurrentBias) {
            add_product(sum, rest, float(recurrent_bias[of_direction]), 1.0);
        }
        sums[i] = sum + rest;
    }
}
