// SPDX-License-Identifier: Apache-2.0
// One step of gru or gru_cell. Where the reset gate works on the hidden state (kPhase), it takes two:
// all units' masked states, and what reads them.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/recurrent.glsl"

const uint kResetAfter = 0, kMask = 1, kFromMasked = 2;
layout(constant_id = 2) const uint kStateActivation = 0; // of the new state
layout(constant_id = 3) const uint kPhase = 0;
layout(constant_id = 4) const bool kRecurrentBias = false;
// Places of the gates in weights and sums; the new state is the last.
layout(constant_id = 5) const uint kUpdateGate = 0;
layout(constant_id = 6) const uint kResetGate = 1;
layout(binding = 0) readonly buffer Sums { float sums[]; };
layout(binding = 1) readonly buffer Recurrent { SCALAR recurrent[]; };
layout(binding = 2) readonly buffer RecurrentBias { SCALAR recurrent_bias[]; };
layout(binding = 3) readonly buffer Before { SCALAR before[]; };
layout(binding = 4) buffer Masked { SCALAR masked[]; };
layout(binding = 5) writeonly buffer After { SCALAR after[]; };
layout(binding = 6) writeonly buffer Sequence { SCALAR sequence[]; };

float bias_of(uint row) { return kRecurrentBias ? float(recurrent_bias[row]) : 0.0; }

void main() {
    const uint count = p.directions * p.batches * p.hidden;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * 64) {
        const uint j = i % p.hidden;
        const uint picture = i / p.hidden; // of all directions
        const uint direction = picture / p.batches;
        const uint step = step_of(direction);
        const uint from = picture * p.hidden;
        const uint sums_from = (step * p.directions * p.batches + picture) * 3 * p.hidden + j;
        const uint row = direction * 3 * p.hidden + j;
        const uint update_row = row + kUpdateGate * p.hidden;
        const uint reset_row = row + kResetGate * p.hidden;
        const uint new_row = row + 2 * p.hidden;

        float reset = 0.0;
        if (kPhase != kFromMasked) {
            reset = sums[sums_from + kResetGate * p.hidden];
            STATE_PRODUCT(reset, bias_of(reset_row), reset_row, before, from)
            reset = gate_of(reset);
        }
        if (kPhase == kMask) {
            masked[i] = SCALAR(reset * float(before[i]));
            continue;
        }
        float update = sums[sums_from + kUpdateGate * p.hidden];
        STATE_PRODUCT(update, bias_of(update_row), update_row, before, from)
        update = gate_of(update);
        float of_state = 0.0;
        if (kPhase == kFromMasked) {
            STATE_PRODUCT(of_state, bias_of(new_row), new_row, masked, from)
        } else {
            STATE_PRODUCT(of_state, bias_of(new_row), new_row, before, from)
            of_state *= reset;
        }
        const float fresh =
            activate(kStateActivation, sums[sums_from + 2 * p.hidden] + of_state, 0.0, 0.0);
        // What an update gate near one cancels is kept.
        float state = fresh;
        float rest = 0.0;
        add_product(state, rest, update, float(before[i]));
        add_product(state, rest, -update, fresh);
        state += rest;
        after[i] = SCALAR(state);
        if (kSequence) {
            sequence[step * count + i] = SCALAR(state);
        }
    }
}
