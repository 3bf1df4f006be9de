// SPDX-License-Identifier: Apache-2.0
// What gru and lstm and their cells come down to, and how their steps are written: one product of
// all inputs, then a dispatch or two a step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/recurrent.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

// A cell is a network of a single step and direction.
struct Recurrent {
    std::uint32_t steps = 1, directions = 1, batches = 1, inputs = 1, hidden = 1;
    bool backward = false; // the first direction; the second always is
    graph::OperandId x{}, weight{}, recurrent_weight{};
    std::optional<graph::OperandId> bias, recurrent_bias, state;
    graph::OperandId last{}; // the last state
    std::optional<graph::OperandId> sequence;
};

struct GruSteps {
    Recurrent net;
    std::array<ops::RecurrentActivation, 2> activations; // of the gates, of the new state
    bool reset_after = true;
    ops::GruLayout layout = ops::GruLayout::Zrn;
};

struct LstmSteps {
    Recurrent net;
    // Of the gates, of the cell's candidate, of the cell on its way out.
    std::array<ops::RecurrentActivation, 3> activations;
    ops::LstmLayout layout = ops::LstmLayout::Iofg;
    std::optional<graph::OperandId> peephole, cell_state;
    graph::OperandId last_cell{};
};

// Hands out a node's optional operands in their order.
class OptionalOperands {
public:
    OptionalOperands(const graph::Node& node, std::size_t first) : node_(node), next_(first) {}
    [[nodiscard]] std::optional<graph::OperandId> take(bool has) {
        return has ? std::optional(node_.inputs[next_++]) : std::nullopt;
    }

private:
    const graph::Node& node_;
    std::size_t next_;
};

// Unsupported where the operands are no floats, or the sums of all steps are beyond a binding.
[[nodiscard]] Status supports_recurrent(const Context& context, const graph::Graph& graph,
                                        const graph::Node& node, std::uint64_t steps,
                                        std::uint64_t gates);
void write_gru(StepWriter& writer, const GruSteps& gru);
void write_lstm(StepWriter& writer, const LstmSteps& lstm);

} // namespace sluice::vulkan
