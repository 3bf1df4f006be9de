// SPDX-License-Identifier: Apache-2.0
// Operators that rearrange or repeat elements.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

// One dimension may be -1: what the others leave.
[[nodiscard]] Result<graph::OperandId> reshape(Context& op, graph::OperandId x,
                                               std::span<const std::int64_t> wanted);
// Removes these dimensions of 1; no axes: all such.
[[nodiscard]] Result<graph::OperandId> squeeze(Context& op, graph::OperandId x,
                                               std::span<const std::int64_t> axes);
// Inserts a dimension of 1.
[[nodiscard]] Result<graph::OperandId> expand_dims(Context& op, graph::OperandId x,
                                                   std::int64_t axis);
[[nodiscard]] Result<graph::OperandId> transpose(Context& op, graph::OperandId x,
                                                 std::span<const std::int64_t> order);
[[nodiscard]] Result<graph::OperandId> broadcast_to(Context& op, graph::OperandId x,
                                                    std::span<const std::int64_t> wanted);
[[nodiscard]] Result<graph::OperandId> tile(Context& op, graph::OperandId x,
                                            std::span<const std::int64_t> multiples);
// Pictures NHWC.
[[nodiscard]] Result<graph::OperandId> depth_to_space(Context& op, graph::OperandId x,
                                                      std::int64_t block);
[[nodiscard]] Result<graph::OperandId> space_to_depth(Context& op, graph::OperandId x,
                                                      std::int64_t block);

} // namespace sluice::models::tensorflow
