// SPDX-License-Identifier: Apache-2.0
// Operators that join tensors or take them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

[[nodiscard]] Result<graph::OperandId> concat(Context& op, std::span<const graph::OperandId> pieces,
                                              std::int64_t axis);
// Joins along a new axis.
[[nodiscard]] Result<graph::OperandId> pack(Context& op, std::span<const graph::OperandId> pieces,
                                            std::int64_t axis);
// The slices of `axis`, without it; there must be `count`.
[[nodiscard]] Result<std::vector<graph::OperandId>> unpack(Context& op, graph::OperandId x,
                                                           std::int64_t axis, std::size_t count);
// `count` pieces of the same size.
[[nodiscard]] Result<std::vector<graph::OperandId>> split(Context& op, graph::OperandId x,
                                                          std::int64_t axis, std::size_t count);
// Pieces of these sizes; one may be -1: what the others leave.
[[nodiscard]] Result<std::vector<graph::OperandId>>
split_v(Context& op, graph::OperandId x, std::int64_t axis, std::span<const std::int64_t> listed);
// A size may be -1: up to the end.
[[nodiscard]] Result<graph::OperandId> slice(Context& op, graph::OperandId x,
                                             std::span<const std::int64_t> begin,
                                             std::span<const std::int64_t> size);

// One entry a dimension addressed, each bit of a mask speaking of the entry of its number.
struct StridedSlice {
    std::vector<std::int64_t> begin;
    std::vector<std::int64_t> end;
    std::vector<std::int64_t> strides;
    std::uint32_t begin_mask = 0;    // from the first element on
    std::uint32_t end_mask = 0;      // up to the last
    std::uint32_t ellipsis_mask = 0; // all dimensions that no entry addresses
    std::uint32_t new_axis_mask = 0; // a dimension of 1
    std::uint32_t shrink_mask = 0;   // a single element, its dimension removed
};

// Which part of a dimension an entry takes.
struct SliceRange {
    std::uint32_t start = 0;
    std::uint32_t size = 1; // before the stride
    std::uint32_t stride = 1;
};
// What a strided slice takes of a tensor, and the dimensions of the result.
struct ResolvedSlice {
    std::vector<SliceRange> ranges; // one a dimension of the input
    std::vector<std::uint32_t> dims;
};
[[nodiscard]] Result<ResolvedSlice> resolve(const StridedSlice& slice,
                                            std::span<const std::uint32_t> shape);
[[nodiscard]] Result<graph::OperandId> strided_slice(Context& op, graph::OperandId x,
                                                     const StridedSlice& slice);

} // namespace sluice::models::tensorflow
