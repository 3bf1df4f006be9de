// SPDX-License-Identifier: Apache-2.0
// Long short-term memory over a sequence (WebNN lstm).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/recurrent.h"

namespace sluice::ops {

struct Lstm {
    static constexpr std::string_view kName = "lstm";
    std::uint32_t steps = 0;
    std::uint32_t hidden_size = 0;
    bool return_sequence = false;
    Direction direction = Direction::Forward;
    LstmLayout layout = LstmLayout::Iofg;
    std::array<RecurrentActivation, 3> activations{
        RecurrentActivation::Sigmoid, RecurrentActivation::Tanh, RecurrentActivation::Tanh};
    bool has_bias = false;
    bool has_recurrent_bias = false;
    bool has_peephole_weight = false;
    bool has_initial_hidden_state = false;
    bool has_initial_cell_state = false;
};

// Inputs: x [steps, batch, input size], weight [directions, 4 * hidden, input size], recurrent
// weight [directions, 4 * hidden, hidden], [bias [directions, 4 * hidden]], [recurrent bias of that
// shape], [peephole weight [directions, 3 * hidden], in the order of i, o, f], [initial hidden
// state [directions, batch, hidden]], [initial cell state of that shape]; floats of one type.
// Outputs: the last hidden state and the last cell state, and with return_sequence all hidden
// states [steps, directions, batch, hidden].
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Lstm& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Lstm& op);

} // namespace sluice::ops
