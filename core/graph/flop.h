// SPDX-License-Identifier: Apache-2.0
// How much a graph computes, by its shapes alone.
#pragma once

#include <cstdint>

#include "core/graph/graph.h"

namespace sluice::graph {

// Multiplications and additions of the node's convolution or matrix product; 0 for other operators,
// which are bound by memory.
[[nodiscard]] std::uint64_t flop_of(const Graph& graph, const Node& node);
[[nodiscard]] std::uint64_t flop_of(const Graph& graph);

} // namespace sluice::graph
