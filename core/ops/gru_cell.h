// SPDX-License-Identifier: Apache-2.0
// One step of a gated recurrent unit (WebNN gruCell).
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

struct GruCell {
    static constexpr std::string_view kName = "gru_cell";
    std::uint32_t hidden_size = 0;
    bool reset_after = true; // the reset gate works on the product, not on the hidden state
    GruLayout layout = GruLayout::Zrn;
    std::array<RecurrentActivation, 2> activations{RecurrentActivation::Sigmoid,
                                                   RecurrentActivation::Tanh};
    bool has_bias = false;
    bool has_recurrent_bias = false;
};

// Inputs: x [batch, input size], weight [3 * hidden, input size], recurrent weight [3 * hidden,
// hidden], hidden state [batch, hidden], [bias [3 * hidden]], [recurrent bias [3 * hidden]]; floats
// of one type. Output: the new hidden state.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const GruCell& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const GruCell& op);

} // namespace sluice::ops
