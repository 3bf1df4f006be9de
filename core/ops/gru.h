// SPDX-License-Identifier: Apache-2.0
// A gated recurrent unit over a sequence (WebNN gru).
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

struct Gru {
    static constexpr std::string_view kName = "gru";
    std::uint32_t steps = 0;
    std::uint32_t hidden_size = 0;
    bool reset_after = true; // the reset gate works on the product, not on the hidden state
    bool return_sequence = false;
    Direction direction = Direction::Forward;
    GruLayout layout = GruLayout::Zrn;
    std::array<RecurrentActivation, 2> activations{RecurrentActivation::Sigmoid,
                                                   RecurrentActivation::Tanh};
    bool has_bias = false;
    bool has_recurrent_bias = false;
    bool has_initial_hidden_state = false;
};

// Inputs: x [steps, batch, input size], weight [directions, 3 * hidden, input size], recurrent
// weight [directions, 3 * hidden, hidden], [bias [directions, 3 * hidden]], [recurrent bias of that
// shape], [initial hidden state [directions, batch, hidden]]; floats of one type. Outputs: the last
// hidden state [directions, batch, hidden], and with return_sequence all of them [steps,
// directions, batch, hidden].
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Gru& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Gru& op);

} // namespace sluice::ops
