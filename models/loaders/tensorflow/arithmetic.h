// SPDX-License-Identifier: Apache-2.0
// Element-wise operators, reductions and products that WebNN has under no name of their own.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/pad.h"
#include "core/ops/reduce.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

using graph::OperandId;

[[nodiscard]] Result<OperandId> sum_of(Context& op, std::span<const OperandId> terms);
// Rounded towards minus infinity, integers too.
[[nodiscard]] Result<OperandId> floor_div(Context& op, OperandId a, OperandId b);
[[nodiscard]] Result<OperandId> floor_mod(Context& op, OperandId a, OperandId b);
// A tensor of x's shape and type.
[[nodiscard]] Result<OperandId> filled_like(Context& op, OperandId x, double value);
[[nodiscard]] Result<OperandId> rsqrt(Context& op, OperandId x);
[[nodiscard]] Result<OperandId> squared_difference(Context& op, OperandId a, OperandId b);
[[nodiscard]] Result<OperandId> clamp(Context& op, OperandId x, double low, double high);
// The first version of Select: its condition may be a vector that selects whole rows.
[[nodiscard]] Result<OperandId> select_rows(Context& op, OperandId condition, OperandId yes,
                                            OperandId no);

[[nodiscard]] Result<OperandId> reduce(Context& op, ops::ReduceKind kind, OperandId x,
                                       std::span<const std::int64_t> axes, bool keep_dimensions);
// Along the last axis.
[[nodiscard]] Result<OperandId> softmax(Context& op, OperandId x);
[[nodiscard]] Result<OperandId> log_softmax(Context& op, OperandId x);
[[nodiscard]] Result<OperandId> l2_normalization(Context& op, OperandId x);

// Products of the matrices in the last two axes, one or both turned.
[[nodiscard]] Result<OperandId> matmul(Context& op, OperandId a, OperandId b, bool turn_a,
                                       bool turn_b);

// A pair of amounts a dimension: before, behind.
[[nodiscard]] Result<ops::Pad> padding_amounts(Context& op, OperandId x,
                                               std::span<const std::int64_t> pairs);
// Symmetric padding repeats the edge, reflection does not.
[[nodiscard]] Result<OperandId> mirror_pad(Context& op, OperandId x,
                                           std::span<const std::int64_t> pairs, bool symmetric);

} // namespace sluice::models::tensorflow
