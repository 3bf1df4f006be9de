// SPDX-License-Identifier: Apache-2.0
// Evaluation of a single node on constants, for constant folding.
#pragma once

#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/backend.h"

namespace sluice::runtime {

// Runs `node`, whose inputs must all be constants of `parts`, on the first backend that supports
// it.
[[nodiscard]] Result<std::vector<graph::ConstantData>>
evaluate(const graph::GraphParts& parts, const graph::Node& node,
         std::span<const Backend* const> backends);

} // namespace sluice::runtime
