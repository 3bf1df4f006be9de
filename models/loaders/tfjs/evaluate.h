// SPDX-License-Identifier: Apache-2.0
// The constant evaluator: operators on values that are known while the file is loaded, so that the
// arithmetic of shapes never becomes part of the graph.
#pragma once

#include <optional>

#include "core/base/result.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

// The node's outputs where its operator is one of those and all that it needs is known; nothing
// otherwise: then the operator's mapping has to do.
[[nodiscard]] Result<std::optional<Outputs>> evaluate(Operation& op);

} // namespace sluice::models::tfjs
