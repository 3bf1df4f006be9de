// SPDX-License-Identifier: Apache-2.0
// One step of long short-term memory (WebNN lstmCell).
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

struct LstmCell {
    static constexpr std::string_view kName = "lstm_cell";
    std::uint32_t hidden_size = 0;
    LstmLayout layout = LstmLayout::Iofg;
    std::array<RecurrentActivation, 3> activations{
        RecurrentActivation::Sigmoid, RecurrentActivation::Tanh, RecurrentActivation::Tanh};
    bool has_bias = false;
    bool has_recurrent_bias = false;
    bool has_peephole_weight = false;
};

// Inputs: x [batch, input size], weight [4 * hidden, input size], recurrent weight [4 * hidden,
// hidden], hidden state [batch, hidden], cell state [batch, hidden], [bias [4 * hidden]],
// [recurrent bias of that shape], [peephole weight [3 * hidden], in the order of i, o, f]; floats
// of one type. Outputs: the new hidden state and the new cell state.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const LstmCell& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const LstmCell& op);

} // namespace sluice::ops
