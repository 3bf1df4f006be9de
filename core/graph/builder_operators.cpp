// SPDX-License-Identifier: Apache-2.0
// GraphBuilder's methods for gathers, scatters, normalisations, recurrent networks and
// quantisation.
#include <numeric>
#include <utility>

#include "core/graph/builder.h"

namespace sluice::graph {
namespace {

// Appends an optional operand; says whether it is there.
bool append(std::vector<OperandId>& inputs, const std::optional<OperandId>& operand) {
    if (operand) {
        inputs.push_back(*operand);
    }
    return operand.has_value();
}

} // namespace

Result<OperandId> GraphBuilder::batch_normalization(OperandId x, OperandId mean, OperandId variance,
                                                    ops::BatchNormalization options,
                                                    const ScaleAndBias& operands,
                                                    std::string_view label) {
    std::vector<OperandId> inputs{x, mean, variance};
    options.has_scale = append(inputs, operands.scale);
    options.has_bias = append(inputs, operands.bias);
    return add_single(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::instance_normalization(OperandId x,
                                                       ops::InstanceNormalization options,
                                                       const ScaleAndBias& operands,
                                                       std::string_view label) {
    std::vector<OperandId> inputs{x};
    options.has_scale = append(inputs, operands.scale);
    options.has_bias = append(inputs, operands.bias);
    return add_single(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::layer_normalization(OperandId x,
                                                    std::optional<std::vector<std::uint32_t>> axes,
                                                    double epsilon, const ScaleAndBias& operands,
                                                    std::string_view label) {
    ops::LayerNormalization options{.axes = {}, .epsilon = epsilon};
    if (axes) {
        options.axes = std::move(*axes);
    } else if (index(x) < parts_.operands.size() && desc(x).rank() > 1) {
        options.axes.resize(desc(x).rank() - 1);
        std::iota(options.axes.begin(), options.axes.end(), 1U);
    }
    std::vector<OperandId> inputs{x};
    options.has_scale = append(inputs, operands.scale);
    options.has_bias = append(inputs, operands.bias);
    return add_single(std::move(options), std::move(inputs), label);
}

Result<OperandId> GraphBuilder::cumulative_sum(OperandId x, const ops::CumulativeSum& options,
                                               std::string_view label) {
    return add_single(options, {x}, label);
}

Result<OperandId> GraphBuilder::gather(OperandId x, OperandId indices, std::uint32_t axis,
                                       std::string_view label) {
    return add_single(ops::Gather{.axis = axis}, {x, indices}, label);
}

Result<OperandId> GraphBuilder::gather_elements(OperandId x, OperandId indices, std::uint32_t axis,
                                                std::string_view label) {
    return add_single(ops::GatherElements{.axis = axis}, {x, indices}, label);
}

Result<OperandId> GraphBuilder::gather_nd(OperandId x, OperandId indices, std::string_view label) {
    return add_single(ops::GatherNd{}, {x, indices}, label);
}

Result<OperandId> GraphBuilder::scatter_elements(OperandId x, OperandId indices, OperandId updates,
                                                 std::uint32_t axis, std::string_view label) {
    return add_single(ops::ScatterElements{.axis = axis}, {x, indices, updates}, label);
}

Result<OperandId> GraphBuilder::scatter_nd(OperandId x, OperandId indices, OperandId updates,
                                           std::string_view label) {
    return add_single(ops::ScatterNd{}, {x, indices, updates}, label);
}

Result<std::vector<OperandId>> GraphBuilder::gru(OperandId x, OperandId weight,
                                                 OperandId recurrent_weight, ops::Gru options,
                                                 const GruOperands& operands,
                                                 std::string_view label) {
    std::vector<OperandId> inputs{x, weight, recurrent_weight};
    options.has_bias = append(inputs, operands.bias);
    options.has_recurrent_bias = append(inputs, operands.recurrent_bias);
    options.has_initial_hidden_state = append(inputs, operands.initial_hidden_state);
    return add_node(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::gru_cell(OperandId x, OperandId weight, OperandId recurrent_weight,
                                         OperandId hidden_state, ops::GruCell options,
                                         const GruOperands& operands, std::string_view label) {
    std::vector<OperandId> inputs{x, weight, recurrent_weight, hidden_state};
    options.has_bias = append(inputs, operands.bias);
    options.has_recurrent_bias = append(inputs, operands.recurrent_bias);
    (void)append(inputs, operands.initial_hidden_state); // one too many, which inference reports
    return add_single(options, std::move(inputs), label);
}

Result<std::vector<OperandId>> GraphBuilder::lstm(OperandId x, OperandId weight,
                                                  OperandId recurrent_weight, ops::Lstm options,
                                                  const LstmOperands& operands,
                                                  std::string_view label) {
    std::vector<OperandId> inputs{x, weight, recurrent_weight};
    options.has_bias = append(inputs, operands.bias);
    options.has_recurrent_bias = append(inputs, operands.recurrent_bias);
    options.has_peephole_weight = append(inputs, operands.peephole_weight);
    options.has_initial_hidden_state = append(inputs, operands.initial_hidden_state);
    options.has_initial_cell_state = append(inputs, operands.initial_cell_state);
    return add_node(options, std::move(inputs), label);
}

Result<std::vector<OperandId>>
GraphBuilder::lstm_cell(OperandId x, OperandId weight, OperandId recurrent_weight,
                        OperandId hidden_state, OperandId cell_state, ops::LstmCell options,
                        const LstmOperands& operands, std::string_view label) {
    std::vector<OperandId> inputs{x, weight, recurrent_weight, hidden_state, cell_state};
    options.has_bias = append(inputs, operands.bias);
    options.has_recurrent_bias = append(inputs, operands.recurrent_bias);
    options.has_peephole_weight = append(inputs, operands.peephole_weight);
    (void)append(inputs, operands.initial_hidden_state); // one too many, which inference reports
    (void)append(inputs, operands.initial_cell_state);
    return add_node(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::quantize_linear(OperandId x, OperandId scale, OperandId zero_point,
                                                std::string_view label) {
    return add_single(ops::QuantizeLinear{}, {x, scale, zero_point}, label);
}

Result<OperandId> GraphBuilder::reverse(OperandId x, std::optional<std::vector<std::uint32_t>> axes,
                                        std::string_view label) {
    ops::Reverse options;
    if (axes) {
        options.axes = std::move(*axes);
    } else if (index(x) < parts_.operands.size()) {
        options.axes.resize(desc(x).rank());
        std::iota(options.axes.begin(), options.axes.end(), 0U);
    }
    return add_single(std::move(options), {x}, label);
}

Result<OperandId> GraphBuilder::tile(OperandId x, std::vector<std::uint32_t> repetitions,
                                     std::string_view label) {
    return add_single(ops::Tile{.repetitions = std::move(repetitions)}, {x}, label);
}

Result<OperandId> GraphBuilder::triangular(OperandId x, const ops::Triangular& options,
                                           std::string_view label) {
    return add_single(options, {x}, label);
}

} // namespace sluice::graph
