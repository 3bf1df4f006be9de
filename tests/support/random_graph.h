// SPDX-License-Identifier: Apache-2.0
// Random graphs of many operators and shapes, one a seed, whose results may be compared between
// ways of running them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/graph/graph.h"

namespace sluice::testing {

struct RandomGraph {
    graph::Graph graph;
    // Whether an output of this name comes of moving elements and integer arithmetic only, and so
    // must be the same to the bit however the graph is run. Discontinuous functions are applied to
    // such operands only: on others, one rounding would turn into a whole step.
    std::map<std::string, bool> is_exact;
};

// Inputs are meant to be within [-1, 1]; no value leaves some [-100, 100].
[[nodiscard]] RandomGraph random_graph(std::uint64_t seed);

} // namespace sluice::testing
