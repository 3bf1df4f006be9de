// SPDX-License-Identifier: Apache-2.0
// Dead code: nodes that no output depends on go, and with them the operands that nobody names; the
// bytes of replaced constants are freed here.
#include <utility>
#include <vector>

#include "core/passes/pass_manager.h"

namespace sluice::passes {

Result<graph::GraphParts> dead_code(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> dead_code(graph::GraphParts parts, const PassContext& /*context*/) {
    std::vector<bool> live(parts.operands.size(), false);
    for (const auto& output : parts.outputs) {
        live[graph::index(output.id)] = true;
    }
    // Inputs are part of the graph's interface even where nothing reads them.
    for (const auto& input : parts.inputs) {
        live[graph::index(input.id)] = true;
    }
    std::vector<graph::Node> kept;
    for (std::size_t i = parts.nodes.size(); i-- > 0;) {
        graph::Node& node = parts.nodes[i];
        bool used = false;
        for (const graph::OperandId id : node.outputs) {
            used = used || live[graph::index(id)];
        }
        if (!used) {
            continue;
        }
        for (const graph::OperandId id : node.inputs) {
            live[graph::index(id)] = true;
        }
        for (const graph::OperandId id : node.outputs) {
            live[graph::index(id)] = true;
        }
        kept.push_back(std::move(node));
    }

    graph::GraphParts compact;
    std::vector<graph::OperandId> renamed(parts.operands.size(), graph::kNoOperand);
    for (std::size_t i = 0; i < parts.operands.size(); ++i) {
        if (live[i]) {
            renamed[i] = compact.add(std::move(parts.operands[i]));
        }
    }
    const auto rename = [&](graph::OperandId& id) { id = renamed[graph::index(id)]; };
    for (auto node = kept.rbegin(); node != kept.rend(); ++node) {
        for (graph::OperandId& id : node->inputs) {
            rename(id);
        }
        for (graph::OperandId& id : node->outputs) {
            rename(id);
        }
        compact.nodes.push_back(std::move(*node));
    }
    compact.inputs = std::move(parts.inputs);
    compact.outputs = std::move(parts.outputs);
    for (auto& input : compact.inputs) {
        rename(input.id);
    }
    for (auto& output : compact.outputs) {
        rename(output.id);
    }
    return compact;
}

} // namespace sluice::passes
