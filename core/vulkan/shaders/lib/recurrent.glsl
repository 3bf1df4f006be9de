// SPDX-License-Identifier: Apache-2.0
// One step of a recurrent network in all its directions: an invocation computes one hidden unit of
// one picture. Sums of the input are there already (recurrent_input.comp). The states of all
// directions lie behind each other.
#include "float.glsl"
#include "activation.glsl"
#include "accurate_sum.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kGateActivation = 0;
layout(constant_id = 1) const bool kSequence = false; // the state also goes to `sequence`

layout(push_constant) uniform Push {
    uint directions, batches, hidden;
    uint steps, turn;
    uint is_backward; // of the first direction; the second always is
} p;

// The step of the input that a direction reads at this turn.
uint step_of(uint direction) {
    return p.is_backward != 0 || direction == 1 ? p.steps - 1 - p.turn : p.turn;
}
float gate_of(float x) { return activate(kGateActivation, x, 0.0, 0.0); }

// A row of the recurrent weights by the state of one picture, which begins at `from`.
#define STATE_PRODUCT(sum, bias, row, state, from)                                                       \
    {                                                                                              \
        float rest = 0.0;                                                                          \
        add_product(sum, rest, bias, 1.0);                                                         \
        for (uint k = 0; k < p.hidden; ++k) {                                                      \
            add_product(sum, rest, float(recurrent[(row) * p.hidden + k]),                         \
                        float(state[(from) + k]));                                                 \
        }                                                                                          \
        sum += rest;                                                                               \
    }
