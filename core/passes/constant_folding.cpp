// SPDX-License-Identifier: Apache-2.0
// Constant folding: nodes whose inputs are all constants become constants. This is how fp16 weights
// behind a cast and quantised weights behind a dequantizeLinear turn into plain fp32 weights.
#include "core/passes/constant_folding.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace sluice::passes {

namespace {

// A small constant may be expanded to a huge one by a graph from outside: what folding makes beyond
// the growth below comes from this budget, and what exceeds it is left to run.
constexpr std::size_t kBudgetBytes = std::size_t{1} << 30U;
// What widening int8 or float16 weights to float32 needs.
constexpr std::size_t kGrowth = 4;

std::size_t bytes_of(const graph::GraphParts& parts, std::span<const graph::OperandId> ids) {
    std::size_t bytes = 0;
    for (const graph::OperandId id : ids) {
        bytes += parts.operand(id).desc.byte_size();
    }
    return bytes;
}

// Takes what the node's results need from the budget, if it can be folded.
bool can_fold(const graph::GraphParts& parts, const graph::Node& node, std::size_t& budget) {
    const bool constant = std::ranges::all_of(node.inputs, [&](graph::OperandId id) {
        return parts.operand(id).kind == graph::OperandKind::Constant;
    });
    // A graph's output stays a result: callers own its memory.
    const bool is_output = std::ranges::any_of(node.outputs, [&](graph::OperandId id) {
        return std::ranges::contains(parts.outputs, id, &graph::NamedOperand::id);
    });
    if (!constant || node.inputs.empty() || is_output) {
        return false;
    }
    const std::size_t made = bytes_of(parts, node.outputs);
    const std::size_t free = kGrowth * bytes_of(parts, node.inputs);
    if (made > free && made - free > budget) {
        return false;
    }
    budget -= made > free ? made - free : 0;
    return true;
}

} // namespace

Result<graph::GraphParts>
fold_constants(graph::GraphParts parts, const PassContext& context,
               const std::function<bool(const graph::Node& node)>& is_wanted) {
    if (!context.evaluate) {
        return parts;
    }
    std::size_t budget = kBudgetBytes;
    std::vector<graph::Node> kept;
    kept.reserve(parts.nodes.size());
    // Nodes are in topological order, so that one sweep folds whole chains.
    for (graph::Node& node : parts.nodes) {
        if (!is_wanted(node) || !can_fold(parts, node, budget)) {
            kept.push_back(std::move(node));
            continue;
        }
        SLUICE_TRY_ASSIGN(auto values, context.evaluate(parts, node));
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            graph::Operand& operand = parts.operands[graph::index(node.outputs[i])];
            operand.kind = graph::OperandKind::Constant;
            operand.data = std::move(values[i]);
        }
    }
    parts.nodes = std::move(kept);
    return parts;
}

Result<graph::GraphParts> constant_folding(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> constant_folding(graph::GraphParts parts, const PassContext& context) {
    return fold_constants(std::move(parts), context, [](const graph::Node&) { return true; });
}

} // namespace sluice::passes
