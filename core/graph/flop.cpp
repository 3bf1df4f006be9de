// SPDX-License-Identifier: Apache-2.0
// Counting of a graph's floating-point operations.
#include "core/graph/flop.h"

namespace sluice::graph {
namespace {

std::uint64_t elements(const Graph& graph, OperandId id) {
    return graph.desc(id).element_count();
}

// Every row of the weights meets the input, and every row of the recurrent weights the state: once
// a step and picture.
std::uint64_t recurrent_flop(const Graph& graph, const Node& node) {
    const Shape& x = graph.desc(node.inputs[0]).shape();
    const std::uint64_t inner = x[x.rank() - 1];
    const std::uint64_t turns = x.element_count() / inner; // steps times pictures
    return 2 * turns * (elements(graph, node.inputs[1]) + elements(graph, node.inputs[2]));
}

} // namespace

std::uint64_t flop_of(const Graph& graph, const Node& node) {
    if (const auto* conv = std::get_if<ops::Conv2d>(&node.attributes)) {
        const auto filter =
            ops::filter_dims(graph.desc(node.inputs[1]).shape(), conv->filter_layout);
        return 2 * elements(graph, node.outputs[0]) * filter.input_channels * filter.height *
               filter.width;
    }
    if (const auto* conv = std::get_if<ops::QuantizedConv2d>(&node.attributes)) {
        const auto filter =
            ops::filter_dims(graph.desc(node.inputs[1]).shape(), conv->filter_layout);
        return 2 * elements(graph, node.outputs[0]) * filter.input_channels * filter.height *
               filter.width;
    }
    if (const auto* conv = std::get_if<ops::ConvTranspose2d>(&node.attributes)) {
        // Every input element meets every tap of its group's output channels.
        const auto filter =
            ops::filter_dims(graph.desc(node.inputs[1]).shape(), conv->filter_layout);
        return 2 * elements(graph, node.inputs[0]) * filter.output_channels * filter.height *
               filter.width;
    }
    if (const auto* gemm = std::get_if<ops::Gemm>(&node.attributes)) {
        const Shape& a = graph.desc(node.inputs[0]).shape();
        return 2 * elements(graph, node.outputs[0]) * a[gemm->a_transpose ? 0 : 1];
    }
    if (std::holds_alternative<ops::Matmul>(node.attributes)) {
        const Shape& a = graph.desc(node.inputs[0]).shape();
        return 2 * elements(graph, node.outputs[0]) * a[a.rank() - 1];
    }
    if (std::holds_alternative<ops::Gru>(node.attributes) ||
        std::holds_alternative<ops::GruCell>(node.attributes) ||
        std::holds_alternative<ops::Lstm>(node.attributes) ||
        std::holds_alternative<ops::LstmCell>(node.attributes)) {
        return recurrent_flop(graph, node);
    }
    return 0;
}

std::uint64_t flop_of(const Graph& graph) {
    std::uint64_t sum = 0;
    for (const Node& node : graph.nodes()) {
        sum += flop_of(graph, node);
    }
    return sum;
}

} // namespace sluice::graph
