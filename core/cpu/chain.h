// SPDX-License-Identifier: Apache-2.0
// Depth-first chains: runs of nodes on a large picture of few channels that go row by row through
// the whole run, so that what lies between them stays in the cache.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"
#include "core/runtime/segment.h"

namespace sluice::cpu {

// A stride 1 convolution of a chain. What it reads is a picture of the chain, or several that a
// concat joins channel behind channel.
struct ChainConv {
    const graph::Node* node;
    std::vector<graph::OperandId> inputs;
};

// A run of nodes: convolutions and concats, and perhaps the pixel shuffle behind them that doubles
// the picture's sides, and the sum of that with the chain's source, enlarged.
struct Chain {
    graph::OperandId source; // the one picture that all of it is made from
    std::vector<ChainConv> convs;
    // Where there is a shuffle: its result, of shape [1, 2H, 2W, C].
    std::optional<graph::OperandId> shuffled;
    std::optional<graph::OperandId> sum; // of that and of the enlarged source
    std::size_t node_count;
};

// The chain that starts with node `first`; none where the nodes do better one by one.
[[nodiscard]] std::optional<Chain> find_chain(const graph::Graph& graph, std::size_t first);

// Of a thread's cache, what the rows of a chain may take: half of the second level or of the third
// level's part, whichever is more. Rows that come from there cost less than making more halos.
[[nodiscard]] std::size_t chain_cache_bytes();

// `segment` is the chain's nodes and the operands that cross its border.
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_chain(const graph::Graph& graph, const Chain& chain, const runtime::Segment& segment,
           std::size_t cache_bytes = chain_cache_bytes());

} // namespace sluice::cpu
