// SPDX-License-Identifier: Apache-2.0
// Passes: rewrites of a graph that keep its meaning, and the one runner for them.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::passes {

// Computes a node whose inputs are all constants: one ConstantData per output.
using Evaluator = std::function<Result<std::vector<graph::ConstantData>>(
    const graph::GraphParts& parts, const graph::Node& node)>;

struct PassContext {
    Evaluator evaluate; // empty: nothing is folded
    // Whether the host runs everything: it has the operators that the quantization pass makes, and
    // kernels for float32 rather than float16.
    bool on_host = true;
};

using PassFunction = Result<graph::GraphParts> (*)(graph::GraphParts parts,
                                                   const PassContext& context);

struct Pass {
    std::string_view name; // "constant_folding"
    PassFunction run;
};

// All passes, in the order in which they run.
[[nodiscard]] std::span<const Pass> passes();

struct PassOptions {
    PassContext context;
    std::span<const std::string_view> disabled; // names of passes to leave out
};

// Runs them in order and verifies the graph after each; an error names the pass.
[[nodiscard]] Result<graph::Graph> run_passes(graph::Graph graph, const PassOptions& options);

} // namespace sluice::passes
