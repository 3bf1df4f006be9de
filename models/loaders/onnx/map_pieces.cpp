// SPDX-License-Identifier: Apache-2.0
// Mappings that join tensors or take them apart.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/slice.h"
#include "core/ops/split.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

// Pieces without elements add nothing and are left out.
Result<Outputs> map_concat(Operation& op) {
    std::vector<OperandId> pieces;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(const auto dims, op.dims(i));
        SLUICE_TRY_ASSIGN(const std::size_t count, element_count(dims));
        if (count != 0) {
            SLUICE_TRY_ASSIGN(pieces.emplace_back(), op.input(i));
        }
    }
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, op.shape(pieces[0]).rank()));
    return op.build().concat(pieces, axis, op.label());
}

// A negative step is the same elements in ascending order, reversed.
Result<Outputs> map_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const auto ranges, slice_ranges(op, {shape.begin(), shape.end()}));
    ops::Slice slice;
    std::vector<std::uint32_t> reversed;
    bool whole = true;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const SliceRange& range = ranges[i];
        if (range.count == 0) {
            return fail(ErrorCode::Unsupported, "a result without elements");
        }
        const std::int64_t last = range.start + (range.count - 1) * range.step;
        const std::int64_t step = range.count == 1 ? 1 : std::abs(range.step);
        slice.starts.push_back(static_cast<std::uint32_t>(range.step < 0 ? last : range.start));
        slice.sizes.push_back(static_cast<std::uint32_t>((range.count - 1) * step + 1));
        slice.strides.push_back(static_cast<std::uint32_t>(step));
        whole = whole && range.count == shape[i];
        if (range.step < 0 && range.count > 1) {
            reversed.push_back(static_cast<std::uint32_t>(i));
        }
    }
    OperandId y = x;
    if (!whole) {
        SLUICE_TRY_ASSIGN(y, op.build().slice(x, std::move(slice), op.label()));
    }
    if (reversed.empty()) {
        return y;
    }
    return op.build().reverse(y, std::move(reversed), op.label());
}

Result<Outputs> map_split(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, shape.rank()));
    SLUICE_TRY_ASSIGN(const Dims pieces, split_sizes(op, shape[axis]));
    std::vector<std::uint32_t> sizes;
    for (const std::int64_t size : pieces) {
        if (size == 0) {
            return fail(ErrorCode::Unsupported, "a piece without elements");
        }
        sizes.push_back(static_cast<std::uint32_t>(size));
    }
    if (sizes.size() == 1) {
        return x;
    }
    return op.build().split(x, {.sizes = std::move(sizes), .axis = axis}, op.label());
}

} // namespace sluice::models::onnx
