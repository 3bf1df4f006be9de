// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions and the 1x1 convolutions around them, as one step: what lies between them
// stays in the cache, a few rows at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"
#include "core/runtime/segment.h"

namespace sluice::cpu {

// Consecutive nodes, each the only reader of the one before it.
struct Bottleneck {
    const graph::Node* expand; // 1x1; null: there is none
    const graph::Node* depthwise;
    const graph::Node* project; // 1x1, perhaps with a residual
    std::size_t node_count;
};

// The bottleneck that starts with node `first`; none where the nodes do better one by one.
[[nodiscard]] std::optional<Bottleneck> find_bottleneck(const graph::Graph& graph,
                                                        std::size_t first);

// `segment` is the bottleneck's nodes and the operands that cross its border.
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_bottleneck(const graph::Graph& graph, const Bottleneck& bottleneck,
                const runtime::Segment& segment);

} // namespace sluice::cpu
