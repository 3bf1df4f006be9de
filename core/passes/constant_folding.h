// SPDX-License-Identifier: Apache-2.0
// Folding, for the passes that need some constants before the pass of that name comes.
#pragma once

#include <functional>

#include "core/base/result.h"
#include "core/passes/pass_manager.h"

namespace sluice::passes {

// Nodes whose inputs are all constants become constants, where `is_wanted` says so.
[[nodiscard]] Result<graph::GraphParts>
fold_constants(graph::GraphParts parts, const PassContext& context,
               const std::function<bool(const graph::Node& node)>& is_wanted);

} // namespace sluice::passes
