// SPDX-License-Identifier: Apache-2.0
// Runs the passes of passes.def and verifies after each.
#include "core/passes/pass_manager.h"

#include <algorithm>
#include <format>
#include <utility>

namespace sluice::passes {

#define SLUICE_PASS(name)                                                                          \
    Result<graph::GraphParts> name(graph::GraphParts parts, const PassContext& context);
#include "core/passes/passes.def"
#undef SLUICE_PASS

namespace {

constexpr std::array kPasses{
#define SLUICE_PASS(name) Pass{#name, &name},
#include "core/passes/passes.def"
#undef SLUICE_PASS
};

} // namespace

std::span<const Pass> passes() {
    return kPasses;
}

Result<graph::Graph> run_passes(graph::Graph graph, const PassOptions& options) {
    for (const Pass& pass : kPasses) {
        if (std::ranges::contains(options.disabled, pass.name)) {
            continue;
        }
        auto parts = pass.run(std::move(graph).take(), options.context);
        if (!parts) {
            return std::unexpected(
                std::move(parts).error().within(std::format("pass {}", pass.name)));
        }
        auto verified = graph::Graph::create(std::move(*parts));
        if (!verified) {
            return std::unexpected(
                std::move(verified).error().within(std::format("after pass {}", pass.name)));
        }
        graph = std::move(*verified);
    }
    return graph;
}

} // namespace sluice::passes
