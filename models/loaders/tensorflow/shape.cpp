// SPDX-License-Identifier: Apache-2.0
// Operators that rearrange or repeat elements.
#include "models/loaders/tensorflow/shape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

using graph::OperandId;
using graph::Shape;

namespace {

// The block size of a picture of this shape.
Result<std::uint32_t> block_of(const Shape& shape, std::int64_t size) {
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t block, positive(size, "block size"));
    if (block > (1U << 15U)) {
        return fail(ErrorCode::Parse, "block size {}", block);
    }
    return block;
}

// reshape, transpose, reshape.
Result<OperandId> shuffle(Context& op, OperandId x, const Shape& apart,
                          std::vector<std::uint32_t> permutation, const Shape& together) {
    SLUICE_TRY_ASSIGN(const OperandId split, op.build().reshape(x, apart, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId moved,
                      op.build().transpose(split, std::move(permutation), op.label()));
    return op.build().reshape(moved, together, op.label());
}

} // namespace

Result<OperandId> reshape(Context& op, OperandId x, std::span<const std::int64_t> wanted) {
    const std::size_t elements = op.shape(x).element_count();
    std::vector<std::uint32_t> dims;
    std::size_t known = 1;
    std::optional<std::size_t> open;
    for (const std::int64_t dim : wanted) {
        if (dim == -1 && !open) {
            open = dims.size();
            dims.push_back(1);
            continue;
        }
        SLUICE_TRY_ASSIGN(dims.emplace_back(), positive(dim, "dimension"));
        if (elements % dims.back() != 0 || known > elements / dims.back()) {
            return fail(ErrorCode::Parse, "{} elements do not fit a dimension of {}", elements,
                        dim);
        }
        known *= dims.back();
    }
    if (open) {
        dims[*open] = static_cast<std::uint32_t>(elements / known);
    }
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    return op.build().reshape(x, shape, op.label());
}

Result<OperandId> squeeze(Context& op, OperandId x, std::span<const std::int64_t> axes) {
    const Shape shape = op.shape(x);
    std::array<bool, graph::kMaxRank> removed{};
    for (const std::int64_t dim : axes) {
        SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(dim, shape.rank()));
        if (shape[axis] != 1) {
            return fail(ErrorCode::Parse, "dimension {} of {} is not 1", axis,
                        graph::to_string(shape));
        }
        removed[axis] = true;
    }
    if (axes.empty()) {
        std::ranges::transform(shape, removed.begin(), [](std::uint32_t dim) { return dim == 1; });
    }
    Shape kept;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        if (!removed[i]) {
            kept.push_back(shape[i]);
        }
    }
    return op.build().reshape(x, kept, op.label());
}

Result<OperandId> expand_dims(Context& op, OperandId x, std::int64_t axis) {
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t at, axis_of(axis, shape.rank() + 1));
    std::vector<std::uint32_t> dims(shape.begin(), shape.end());
    dims.insert(dims.begin() + at, 1);
    SLUICE_TRY_ASSIGN(const Shape wider, shape_of(dims));
    return op.build().reshape(x, wider, op.label());
}

Result<OperandId> transpose(Context& op, OperandId x, std::span<const std::int64_t> order) {
    std::vector<std::uint32_t> permutation;
    for (const std::int64_t value : order) {
        SLUICE_TRY_ASSIGN(permutation.emplace_back(), axis_of(value, op.shape(x).rank()));
    }
    // An empty list would ask the builder for the reversal; here it belongs to a scalar.
    if (permutation.empty()) {
        return op.build().identity(x, op.label());
    }
    return op.build().transpose(x, std::move(permutation), op.label());
}

Result<OperandId> broadcast_to(Context& op, OperandId x, std::span<const std::int64_t> wanted) {
    std::vector<std::uint32_t> dims;
    for (const std::int64_t dim : wanted) {
        SLUICE_TRY_ASSIGN(dims.emplace_back(), positive(dim, "dimension"));
    }
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    return op.build().expand(x, shape, op.label());
}

// Every repeated dimension becomes a pair (copies, size), is broadcast, and is joined again.
Result<OperandId> tile(Context& op, OperandId x, std::span<const std::int64_t> multiples) {
    const std::size_t rank = op.shape(x).rank();
    if (multiples.size() != rank) {
        return fail(ErrorCode::Parse, "{} multiples for {} dimensions", multiples.size(), rank);
    }
    for (std::size_t axis = 0; axis < rank; ++axis) {
        SLUICE_TRY_ASSIGN(const std::uint32_t copies, positive(multiples[axis], "multiple"));
        if (copies == 1) {
            continue;
        }
        const Shape shape = op.shape(x);
        std::vector<std::uint32_t> dims(shape.begin(), shape.end());
        const auto joined = checked_mul<std::uint32_t>(dims[axis], copies);
        if (!joined) {
            return fail(ErrorCode::Parse, "{} copies of {} elements", copies, dims[axis]);
        }
        dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        SLUICE_TRY_ASSIGN(const Shape apart, shape_of(dims));
        dims[axis] = copies;
        SLUICE_TRY_ASSIGN(const OperandId split, op.build().reshape(x, apart, op.label()));
        SLUICE_TRY_ASSIGN(const OperandId copied,
                          op.build().expand(split, Shape(dims), op.label()));
        Shape tiled = shape;
        tiled[axis] = *joined;
        SLUICE_TRY_ASSIGN(x, op.build().reshape(copied, tiled, op.label()));
    }
    return x;
}

// Channel (i * block + j) * C + c of a pixel becomes channel c of its sub-pixel in row i, column j.
Result<OperandId> depth_to_space(Context& op, OperandId x, std::int64_t block) {
    const Shape s = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t b, block_of(s, block));
    if (s[3] % (b * b) != 0) {
        return fail(ErrorCode::Parse, "{} channels in blocks of {}x{}", s[3], b, b);
    }
    const std::uint32_t channels = s[3] / (b * b);
    return shuffle(op, x, Shape{s[0], s[1], s[2], b, b, channels}, {0, 1, 3, 2, 4, 5},
                   Shape{s[0], s[1] * b, s[2] * b, channels});
}

Result<OperandId> space_to_depth(Context& op, OperandId x, std::int64_t block) {
    const Shape s = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t b, block_of(s, block));
    if (s[1] % b != 0 || s[2] % b != 0) {
        return fail(ErrorCode::Parse, "a picture of {}x{} in blocks of {}", s[2], s[1], b);
    }
    return shuffle(op, x, Shape{s[0], s[1] / b, b, s[2] / b, b, s[3]}, {0, 1, 3, 2, 4, 5},
                   Shape{s[0], s[1] / b, s[2] / b, s[3] * b * b});
}

} // namespace sluice::models::tensorflow
