// SPDX-License-Identifier: Apache-2.0
// What an inference costs: floating-point operations, time, memory.
#pragma once

#include <cstdint>
#include <vector>

#include "core/graph/graph.h"

namespace sluice::cli {

// Multiplications and additions of the node's convolution or matrix product; 0 for other operators,
// which are bound by memory.
[[nodiscard]] std::uint64_t flop_of(const graph::Graph& graph, const graph::Node& node);
[[nodiscard]] std::uint64_t flop_of(const graph::Graph& graph);

// The smallest sample that at least `percent` of them do not exceed (nearest rank). `sorted` is
// sorted and not empty.
[[nodiscard]] double percentile(const std::vector<double>& sorted, double percent);

// Of the process.
[[nodiscard]] std::uint64_t peak_rss_bytes();
[[nodiscard]] double cpu_seconds();

} // namespace sluice::cli
