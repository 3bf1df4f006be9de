// SPDX-License-Identifier: Apache-2.0
// One step of lstm or lstm_cell.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/recurrent.glsl"

layout(constant_id = 2) const uint kCellActivation = 0;  // of the cell's candidate
layout(constant_id = 3) const uint kStateActivation = 0; // of the cell on its way out
layout(constant_id = 4) const bool kPeephole = false;
// Places of the gates in weights and sums; the peepholes' are input, output, forget.
layout(constant_id = 5) const uint kOutputGate = 1;
layout(constant_id = 6) const uint kForgetGate = 2;
layout(constant_id = 7) const uint kCellGate = 3;
layout(binding = 0) readonly buffer Sums { float sums[]; };
layout(binding = 1) readonly buffer Recurrent { SCALAR recurrent[]; };
layout(binding = 2) readonly buffer Peephole { SCALAR peephole[]; };
layout(binding = 3) readonly buffer Before { SCALAR before[]; };
layout(binding = 4) readonly buffer CellBefore { SCALAR cell_before[]; };
layout(binding = 5) writeonly buffer After { SCALAR after[]; };
layout(binding = 6) writeonly buffer CellAfter { SCALAR cell_after[]; };
layout(binding = 7) writeonly buffer Sequence { SCALAR sequence[]; };

void main() {
    const uint count = p.directions * p.batches * p.hidden;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * 64) {
        const uint j = i % p.hidden;
        const uint picture = i / p.hidden; // of all directions
        const uint direction = picture / p.batches;
        const uint step = step_of(direction);
        const uint from = picture * p.hidden;
        const uint sums_from = (step * p.directions * p.batches + picture) * 4 * p.hidden;
        float gates[4];
        for (uint gate = 0; gate < 4; ++gate) {
            const uint row = gate * p.hidden + j;
            float sum = sums[sums_from + row];
            STATE_PRODUCT(sum, 0.0, direction * 4 * p.hidden + row, before, from)
            gates[gate] = sum;
        }
        const float cell = float(cell_before[i]);
        if (kPeephole) {
            const uint seen = direction * 3 * p.hidden + j;
            gates[0] += float(peephole[seen]) * cell;
            gates[kOutputGate] += float(peephole[seen + p.hidden]) * cell;
            gates[kForgetGate] += float(peephole[seen + 2 * p.hidden]) * cell;
        }
        const float candidate = activate(kCellActivation, gates[kCellGate], 0.0, 0.0);
        const float fresh = gate_of(gates[kForgetGate]) * cell + gate_of(gates[0]) * candidate;
        const float state =
            gate_of(gates[kOutputGate]) * activate(kStateActivation, fresh, 0.0, 0.0);
        cell_after[i] = SCALAR(fresh);
        after[i] = SCALAR(state);
        if (kSequence) {
            sequence[step * count + i] = SCALAR(state);
        }
    }
}
