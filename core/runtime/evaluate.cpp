// SPDX-License-Identifier: Apache-2.0
// A graph of one node, compiled without passes and run once.
#include "core/runtime/evaluate.h"

#include <algorithm>
#include <format>
#include <utility>

#include "core/runtime/executable.h"

namespace sluice::runtime {

Result<std::vector<graph::ConstantData>> evaluate(const graph::GraphParts& parts,
                                                  const graph::Node& node,
                                                  std::span<const Backend* const> backends) {
    graph::GraphParts single;
    graph::Node copy = node;
    for (graph::OperandId& id : copy.inputs) {
        id = single.add(parts.operand(id));
    }
    for (std::size_t i = 0; i < copy.outputs.size(); ++i) {
        graph::Operand result = parts.operand(copy.outputs[i]);
        result.name = std::format("result{}", i);
        single.outputs.push_back({.name = result.name, .id = graph::kNoOperand});
        copy.outputs[i] = single.add(std::move(result));
        single.outputs.back().id = copy.outputs[i];
    }
    single.nodes.push_back(std::move(copy));
    SLUICE_TRY_ASSIGN(auto graph, graph::Graph::create(std::move(single)));
    SLUICE_TRY_ASSIGN(const auto executable,
                      Executable::compile(std::move(graph),
                                          {.backends = backends, .threads = 1, .optimize = false}));
    SLUICE_TRY(executable->run());
    std::vector<graph::ConstantData> values;
    for (std::size_t i = 0; i < executable->outputs().size(); ++i) {
        const auto bytes = executable->output(i);
        values.push_back(graph::ConstantData::own({bytes.begin(), bytes.end()}));
    }
    return values;
}

} // namespace sluice::runtime
