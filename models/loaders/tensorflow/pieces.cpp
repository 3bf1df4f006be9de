// SPDX-License-Identifier: Apache-2.0
// Operators that join tensors or take them apart.
#include "models/loaders/tensorflow/pieces.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/slice.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/shape.h"

namespace sluice::models::tensorflow {

using graph::OperandId;
using graph::Shape;

Result<OperandId> concat(Context& op, std::span<const OperandId> pieces, std::int64_t axis) {
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t at, axis_of(axis, op.shape(pieces[0]).rank()));
    return op.build().concat(pieces, at, op.label());
}

Result<OperandId> pack(Context& op, std::span<const OperandId> pieces, std::int64_t axis) {
    std::vector<OperandId> wider;
    for (const OperandId piece : pieces) {
        SLUICE_TRY_ASSIGN(wider.emplace_back(), expand_dims(op, piece, axis));
    }
    return concat(op, wider, axis);
}

Result<std::vector<OperandId>> unpack(Context& op, OperandId x, std::int64_t along,
                                      std::size_t count) {
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(along, shape.rank()));
    if (shape[axis] != count) {
        return fail(ErrorCode::Parse, "{} outputs for a dimension of {}", count, shape[axis]);
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

Result<std::vector<OperandId>> split(Context& op, OperandId x, std::int64_t along,
                                     std::size_t count) {
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(along, shape.rank()));
    if (count == 0 || shape[axis] % count != 0) {
        return fail(ErrorCode::Parse, "a dimension of {} in {} pieces", shape[axis], count);
    }
    const auto size = static_cast<std::uint32_t>(shape[axis] / count);
    return op.build().split(x, {.sizes = std::vector<std::uint32_t>(count, size), .axis = axis},
                            op.label());
}

Result<std::vector<OperandId>> split_v(Context& op, OperandId x, std::int64_t along,
                                       std::span<const std::int64_t> listed) {
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(along, shape.rank()));
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

Result<OperandId> slice(Context& op, OperandId x, std::span<const std::int64_t> begin,
                        std::span<const std::int64_t> size) {
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

bool bit(std::uint32_t mask, std::size_t i) {
    return ((mask >> i) & 1U) != 0;
}

// Entry i of the slice applied to a dimension of `dim`.
Result<SliceRange> range_of(const StridedSlice& slice, std::size_t i, std::int64_t dim) {
    const auto resolve = [dim](std::int64_t at) { return at < 0 ? at + dim : at; };
    if (bit(slice.shrink_mask, i)) {
        const std::int64_t at = resolve(slice.begin[i]);
        if (at < 0 || at >= dim) {
            return fail(ErrorCode::Parse, "index {} in a dimension of {}", slice.begin[i], dim);
        }
        return SliceRange{.start = static_cast<std::uint32_t>(at)};
    }
    if (slice.strides[i] <= 0) {
        return fail(slice.strides[i] == 0 ? ErrorCode::Parse : ErrorCode::Unsupported, "stride {}",
                    slice.strides[i]);
    }
    const std::int64_t first =
        bit(slice.begin_mask, i) ? 0 : std::clamp<std::int64_t>(resolve(slice.begin[i]), 0, dim);
    const std::int64_t last =
        bit(slice.end_mask, i) ? dim : std::clamp<std::int64_t>(resolve(slice.end[i]), 0, dim);
    if (first >= last) {
        return fail(ErrorCode::Unsupported, "an empty result");
    }
    return SliceRange{.start = static_cast<std::uint32_t>(first),
                      .size = static_cast<std::uint32_t>(last - first),
                      // Beyond the dimension every stride takes the first element only.
                      .stride = static_cast<std::uint32_t>(std::min(slice.strides[i], dim))};
}

} // namespace

Result<ResolvedSlice> resolve(const StridedSlice& slice, std::span<const std::uint32_t> shape) {
    const std::size_t entries = slice.begin.size();
    if (entries > 31 || slice.end.size() != entries || slice.strides.size() != entries) {
        return fail(ErrorCode::Parse, "{} starts, {} ends and {} strides", entries,
                    slice.end.size(), slice.strides.size());
    }
    std::size_t consumed = 0; // dimensions that entries other than the ellipsis address
    for (std::size_t i = 0; i < entries; ++i) {
        consumed += bit(slice.ellipsis_mask, i) || bit(slice.new_axis_mask, i) ? 0 : 1;
    }
    if (consumed > shape.size()) {
        return fail(ErrorCode::Parse, "{} entries for {} dimensions", consumed, shape.size());
    }
    const std::size_t skipped = shape.size() - consumed; // by the ellipsis, or at the end

    ResolvedSlice out;
    const auto take = [&](const SliceRange& range, bool keep) {
        out.ranges.push_back(range);
        if (keep) {
            out.dims.push_back((range.size + range.stride - 1) / range.stride);
        }
    };
    const auto take_rest = [&] {
        for (std::size_t i = 0; i < skipped; ++i) {
            take({.size = shape[out.ranges.size()]}, true);
        }
    };
    bool seen_ellipsis = false;
    for (std::size_t i = 0; i < entries; ++i) {
        if (bit(slice.ellipsis_mask, i)) {
            if (std::exchange(seen_ellipsis, true)) {
                return fail(ErrorCode::Parse, "two ellipses");
            }
            take_rest();
        } else if (bit(slice.new_axis_mask, i)) {
            out.dims.push_back(1);
        } else {
            SLUICE_TRY_ASSIGN(const SliceRange range, range_of(slice, i, shape[out.ranges.size()]));
            take(range, !bit(slice.shrink_mask, i));
        }
    }
    if (!seen_ellipsis) {
        take_rest();
    }
    return out;
}

Result<OperandId> strided_slice(Context& op, OperandId x, const StridedSlice& slice) {
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const ResolvedSlice resolved, resolve(slice, shape.dims()));
    SLUICE_TRY_ASSIGN(const Shape dims, shape_of(resolved.dims));
    ops::Slice window;
    for (const SliceRange& range : resolved.ranges) {
        window.starts.push_back(range.start);
        window.sizes.push_back(range.size);
        window.strides.push_back(range.stride);
    }
    SLUICE_TRY_ASSIGN(const OperandId part, op.build().slice(x, std::move(window), op.label()));
    if (op.shape(part) == dims) {
        return part;
    }
    return op.build().reshape(part, dims, op.label());
}

} // namespace sluice::models::tensorflow
