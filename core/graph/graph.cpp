// SPDX-License-Identifier: Apache-2.0
// Construction of graphs and titles of nodes.
#include "core/graph/graph.h"

#include <format>
#include <functional>

#include "core/graph/verify.h"

namespace sluice::graph {

ConstantData ConstantData::own(std::vector<std::byte> bytes) {
    auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    const std::span<const std::byte> view(*owner);
    return {.owner = std::move(owner), .bytes = view};
}

OperandId GraphParts::add(Operand operand) {
    operands.push_back(std::move(operand));
    return OperandId{static_cast<std::uint32_t>(operands.size() - 1)};
}

Result<Graph> Graph::create(GraphParts parts) {
    SLUICE_TRY(verify(parts));
    return Graph(std::move(parts));
}

std::string title(const Graph& graph, const Node& node) {
    const std::string_view name = ops::name_of(node.attributes);
    if (!node.label.empty()) {
        return std::format("{} '{}'", name, node.label);
    }
    const std::span<const Node> nodes = graph.nodes();
    const std::less<const Node*> before; // a total order also across arrays
    if (before(&node, nodes.data()) || !before(&node, nodes.data() + nodes.size())) {
        return std::string(name); // a copy of a node has no place in the graph
    }
    return std::format("{} #{}", name, &node - nodes.data());
}

} // namespace sluice::graph
