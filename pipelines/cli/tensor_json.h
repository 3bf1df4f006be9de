// SPDX-License-Identifier: Apache-2.0
// A network's inputs or outputs as JSON.
#pragma once

#include <span>

#include "core/graph/graph.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {

// [{"name": ..., "type": ..., "shape": [...]}], in the graph's order.
inline Json tensors(std::span<const graph::NamedOperand> named, const graph::Graph& graph) {
    Json entries = Json::array();
    for (const graph::NamedOperand& entry : named) {
        entries.push_back({{"name", entry.name},
                           {"type", graph::name(graph.desc(entry.id).type())},
                           {"shape", graph.desc(entry.id).shape().dims()}});
    }
    return entries;
}

} // namespace sluice::cli
