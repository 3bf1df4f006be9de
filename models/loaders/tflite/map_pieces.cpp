// SPDX-License-Identifier: Apache-2.0
// Mappings that join tensors or take them apart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/slice.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using graph::Shape;

namespace {

// The one axis that a constant input holds.
Result<std::uint32_t> axis_input(Operation& op, std::size_t input, std::size_t rank) {
    SLUICE_TRY_ASSIGN(const auto values, op.integers(input));
    if (values.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", values.size());
    }
    return axis_of(values[0], rank);
}

// x with a dimension of 1 inserted at `axis`.
Result<OperandId> with_axis(Operation& op, OperandId x, std::uint32_t axis) {
    const Shape shape = op.shape(x);
    if (shape.rank() == graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "more than {} dimensions", graph::kMaxRank);
    }
    std::vector<std::uint32_t> dims(shape.begin(), shape.end());
    dims.insert(dims.begin() + axis, 1);
    return op.build().reshape(x, Shape(dims), op.label());
}

} // namespace

Result<Outputs> map_concatenation(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::ConcatenationOptions>());
    std::vector<OperandId> pieces;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(pieces.emplace_back(), op.input(i));
    }
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t axis,
                      axis_of(options->axis(), op.shape(pieces[0]).rank()));
    SLUICE_TRY_ASSIGN(const OperandId joined, op.build().concat(pieces, axis, op.label()));
    return op.activate(joined, options->fused_activation_function());
}

Result<Outputs> map_pack(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::PackOptions>());
    std::vector<OperandId> pieces;
    std::uint32_t axis = 0;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(const OperandId piece, op.input(i));
        SLUICE_TRY_ASSIGN(axis, axis_of(options->axis(), op.shape(piece).rank() + 1));
        SLUICE_TRY_ASSIGN(pieces.emplace_back(), with_axis(op, piece, axis));
    }
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    return op.build().concat(pieces, axis, op.label());
}

Result<Outputs> map_unpack(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::UnpackOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(options->axis(), shape.rank()));
    if (shape[axis] != op.output_count()) {
        return fail(ErrorCode::Parse, "{} outputs for a dimension of {}", op.output_count(),
                    shape[axis]);
    }
    const std::vector<std::uint32_t> sizes(shape[axis], 1);
    SLUICE_TRY_ASSIGN(auto pieces, op.build().split(x, {.sizes = sizes, .axis = axis}, op.label()));
    Shape rest;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        if (i != axis) {
            rest.push_back(shape[i]);
        }
    }
    for (OperandId& piece : pieces) {
        SLUICE_TRY_ASSIGN(piece, op.build().reshape(piece, rest, op.label()));
    }
    return pieces;
}

// The number of pieces is that of the outputs.
Result<Outputs> map_split(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(1));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_input(op, 0, shape.rank()));
    const std::size_t count = op.output_count();
    if (count == 0 || shape[axis] % count != 0) {
        return fail(ErrorCode::Parse, "a dimension of {} in {} pieces", shape[axis], count);
    }
    const auto size = static_cast<std::uint32_t>(shape[axis] / count);
    return op.build().split(x, {.sizes = std::vector<std::uint32_t>(count, size), .axis = axis},
                            op.label());
}

Result<Outputs> map_split_v(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const auto listed, op.integers(1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_input(op, 2, shape.rank()));
    std::int64_t rest = shape[axis];
    for (const std::int64_t size : listed) {
        rest -= std::clamp<std::int64_t>(size, 0, 0x7FFFFFFF);
    }
    std::vector<std::uint32_t> sizes;
    for (const std::int64_t size : listed) {
        // -1: what the others leave.
        SLUICE_TRY_ASSIGN(sizes.emplace_back(), positive(size == -1 ? rest : size, "size"));
    }
    return op.build().split(x, {.sizes = std::move(sizes), .axis = axis}, op.label());
}

Result<Outputs> map_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto begin, op.integers(1));
    SLUICE_TRY_ASSIGN(const auto size, op.integers(2));
    const Shape shape = op.shape(x);
    if (begin.size() != shape.rank() || size.size() != shape.rank()) {
        return fail(ErrorCode::Parse, "{} starts and {} sizes for {} dimensions", begin.size(),
                    size.size(), shape.rank());
    }
    ops::Slice slice;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        if (begin[i] < 0 || begin[i] >= shape[i]) {
            return fail(ErrorCode::Parse, "start {} in a dimension of {}", begin[i], shape[i]);
        }
        slice.starts.push_back(static_cast<std::uint32_t>(begin[i]));
        // -1: up to the end.
        SLUICE_TRY_ASSIGN(slice.sizes.emplace_back(),
                          positive(size[i] == -1 ? shape[i] - begin[i] : size[i], "size"));
    }
    return op.build().slice(x, std::move(slice), op.label());
}

namespace {

// How STRIDED_SLICE addresses one dimension of the input.
struct Range {
    std::uint32_t start = 0;
    std::uint32_t size = 1; // before the stride
    std::uint32_t stride = 1;
};

struct StridedSlice {
    std::vector<std::int64_t> begin;
    std::vector<std::int64_t> end;
    std::vector<std::int64_t> strides;
    std::uint32_t begin_mask;
    std::uint32_t end_mask;
    std::uint32_t shrink_mask;
};

// Entry i of the slice applied to a dimension of `dim`.
Result<Range> range_of(const StridedSlice& slice, std::size_t i, std::int64_t dim) {
    const auto bit = [i](std::uint32_t mask) { return ((mask >> i) & 1U) != 0; };
    const auto resolve = [dim](std::int64_t at) { return at < 0 ? at + dim : at; };
    if (bit(slice.shrink_mask)) {
        const std::int64_t at = resolve(slice.begin[i]);
        if (at < 0 || at >= dim) {
            return fail(ErrorCode::Parse, "index {} in a dimension of {}", slice.begin[i], dim);
        }
        return Range{.start = static_cast<std::uint32_t>(at)};
    }
    if (slice.strides[i] <= 0) {
        return fail(slice.strides[i] == 0 ? ErrorCode::Parse : ErrorCode::Unsupported, "stride {}",
                    slice.strides[i]);
    }
    const std::int64_t first =
        bit(slice.begin_mask) ? 0 : std::clamp<std::int64_t>(resolve(slice.begin[i]), 0, dim);
    const std::int64_t last =
        bit(slice.end_mask) ? dim : std::clamp<std::int64_t>(resolve(slice.end[i]), 0, dim);
    if (first >= last) {
        return fail(ErrorCode::Unsupported, "an empty result");
    }
    return Range{.start = static_cast<std::uint32_t>(first),
                 .size = static_cast<std::uint32_t>(last - first),
                 // Beyond the dimension every stride takes the first element only.
                 .stride = static_cast<std::uint32_t>(std::min(slice.strides[i], dim))};
}

} // namespace

Result<Outputs> map_strided_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::StridedSliceOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    StridedSlice slice{.begin = {},
                       .end = {},
                       .strides = {},
                       .begin_mask = static_cast<std::uint32_t>(options->begin_mask()),
                       .end_mask = static_cast<std::uint32_t>(options->end_mask()),
                       .shrink_mask = static_cast<std::uint32_t>(options->shrink_axis_mask())};
    SLUICE_TRY_ASSIGN(slice.begin, op.integers(1));
    SLUICE_TRY_ASSIGN(slice.end, op.integers(2));
    SLUICE_TRY_ASSIGN(slice.strides, op.integers(3));
    const std::size_t entries = slice.begin.size();
    if (entries > 31 || slice.end.size() != entries || slice.strides.size() != entries) {
        return fail(ErrorCode::Parse, "{} starts, {} ends and {} strides", entries,
                    slice.end.size(), slice.strides.size());
    }
    if (options->offset()) {
        for (std::size_t i = 0; i < entries; ++i) {
            // Far beyond any dimension, yet far from overflow.
            const auto near = [](std::int64_t at) {
                return std::clamp<std::int64_t>(at, -0x7FFFFFFF, 0x7FFFFFFF);
            };
            slice.end[i] = near(slice.begin[i]) + near(slice.end[i]);
        }
    }
    const auto ellipsis_mask = static_cast<std::uint32_t>(options->ellipsis_mask());
    const auto new_axis_mask = static_cast<std::uint32_t>(options->new_axis_mask());
    const auto bit = [](std::uint32_t mask, std::size_t i) { return ((mask >> i) & 1U) != 0; };
    const Shape shape = op.shape(x);
    std::size_t consumed = 0; // dimensions that entries other than the ellipsis address
    for (std::size_t i = 0; i < entries; ++i) {
        consumed += bit(ellipsis_mask, i) || bit(new_axis_mask, i) ? 0 : 1;
    }
    if (consumed > shape.rank()) {
        return fail(ErrorCode::Parse, "{} entries for {} dimensions", consumed, shape.rank());
    }
    const std::size_t skipped = shape.rank() - consumed; // by the ellipsis, or at the end

    ops::Slice window;
    std::vector<std::uint32_t> dims; // of the result
    const auto take = [&](const Range& range, bool keep) {
        window.starts.push_back(range.start);
        window.sizes.push_back(range.size);
        window.strides.push_back(range.stride);
        if (keep) {
            dims.push_back((range.size + range.stride - 1) / range.stride);
        }
    };
    const auto take_rest = [&] {
        for (std::size_t i = 0; i < skipped; ++i) {
            take({.size = shape[window.starts.size()]}, true);
        }
    };
    bool seen_ellipsis = false;
    for (std::size_t i = 0; i < entries; ++i) {
        if (bit(ellipsis_mask, i)) {
            if (std::exchange(seen_ellipsis, true)) {
                return fail(ErrorCode::Parse, "two ellipses");
            }
            take_rest();
        } else if (bit(new_axis_mask, i)) {
            dims.push_back(1);
        } else {
            SLUICE_TRY_ASSIGN(const Range range, range_of(slice, i, shape[window.starts.size()]));
            take(range, !bit(slice.shrink_mask, i));
        }
    }
    if (!seen_ellipsis) {
        take_rest();
    }
    if (dims.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "more than {} dimensions", graph::kMaxRank);
    }
    SLUICE_TRY_ASSIGN(const OperandId part, op.build().slice(x, std::move(window), op.label()));
    if (op.shape(part) == Shape(dims)) {
        return part;
    }
    return op.build().reshape(part, Shape(dims), op.label());
}

} // namespace sluice::models::tflite
