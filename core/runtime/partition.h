// SPDX-License-Identifier: Apache-2.0
// Partition: which backend runs which node, and why.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/backend.h"

namespace sluice::runtime {

struct Assignment {
    const Backend* backend = nullptr;
    std::string reason; // why earlier backends declined; empty where the first one took it
};

// One per node, in order: the first backend that supports it. Unsupported lists every node that
// none supports, with each backend's reason.
[[nodiscard]] Result<std::vector<Assignment>> partition(const graph::Graph& graph,
                                                        std::span<const Backend* const> backends);

} // namespace sluice::runtime
