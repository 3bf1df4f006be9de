// SPDX-License-Identifier: Apache-2.0
// Mappings that rearrange or repeat elements.
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
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using graph::Shape;

namespace {

Result<Shape> shape_of(std::span<const std::uint32_t> dims) {
    if (dims.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "{} dimensions, more than {}", dims.size(),
                    graph::kMaxRank);
    }
    return Shape(dims);
}

// The shape that RESHAPE asks for: a constant, an option, or else what the file says of the output.
Result<std::vector<std::int64_t>> requested_shape(Operation& op) {
    if (op.has_input(1)) {
        SLUICE_TRY_ASSIGN(const std::size_t tensor, op.tensor(1));
        if (op.file().is_constant(tensor)) {
            return op.integers(1);
        }
    }
    const auto* options = op.options<schema::ReshapeOptions>();
    if (options != nullptr && options->new_shape() != nullptr && !op.has_input(1)) {
        return std::vector<std::int64_t>(options->new_shape()->begin(),
                                         options->new_shape()->end());
    }
    SLUICE_TRY_ASSIGN(const std::size_t output, op.output_tensor(0));
    if (!op.file().has_known_shape(output)) {
        return fail(ErrorCode::Unsupported, "the shape is computed at run time");
    }
    SLUICE_TRY_ASSIGN(const auto desc, op.output_desc(0));
    return std::vector<std::int64_t>(desc.shape().begin(), desc.shape().end());
}

// The block size of DEPTH_TO_SPACE and SPACE_TO_DEPTH, and the picture's shape.
template <typename Options>
Result<std::uint32_t> block_of(Operation& op, const Shape& shape) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<Options>());
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t block, positive(options->block_size(), "block size"));
    if (block > (1U << 15U)) {
        return fail(ErrorCode::Parse, "block size {}", block);
    }
    return block;
}

// reshape, transpose, reshape.
Result<OperandId> shuffle(Operation& op, OperandId x, const Shape& apart,
                          std::vector<std::uint32_t> permutation, const Shape& together) {
    SLUICE_TRY_ASSIGN(const OperandId split, op.build().reshape(x, apart, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId moved,
                      op.build().transpose(split, std::move(permutation), op.label()));
    return op.build().reshape(moved, together, op.label());
}

} // namespace

Result<Outputs> map_reshape(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto wanted, requested_shape(op));
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

Result<Outputs> map_squeeze(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    const auto* options = op.options<schema::SqueezeOptions>();
    std::array<bool, graph::kMaxRank> removed{};
    if (options != nullptr && options->squeeze_dims() != nullptr &&
        options->squeeze_dims()->size() > 0) {
        for (const std::int32_t dim : *options->squeeze_dims()) {
            SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(dim, shape.rank()));
            if (shape[axis] != 1) {
                return fail(ErrorCode::Parse, "dimension {} of {} is not 1", axis,
                            graph::to_string(shape));
            }
            removed[axis] = true;
        }
    } else {
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

Result<Outputs> map_expand_dims(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integers(1));
    const Shape shape = op.shape(x);
    if (axes.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", axes.size());
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(axes[0], shape.rank() + 1));
    std::vector<std::uint32_t> dims(shape.begin(), shape.end());
    dims.insert(dims.begin() + axis, 1);
    SLUICE_TRY_ASSIGN(const Shape wider, shape_of(dims));
    return op.build().reshape(x, wider, op.label());
}

Result<Outputs> map_transpose(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto order, op.integers(1));
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

Result<Outputs> map_broadcast_to(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto wanted, op.integers(1));
    std::vector<std::uint32_t> dims;
    for (const std::int64_t dim : wanted) {
        SLUICE_TRY_ASSIGN(dims.emplace_back(), positive(dim, "dimension"));
    }
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    return op.build().expand(x, shape, op.label());
}

// Every repeated dimension becomes a pair (copies, size), is broadcast, and is joined again.
Result<Outputs> map_tile(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto multiples, op.integers(1));
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
Result<Outputs> map_depth_to_space(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape s = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t b, block_of<schema::DepthToSpaceOptions>(op, s));
    if (s[3] % (b * b) != 0) {
        return fail(ErrorCode::Parse, "{} channels in blocks of {}x{}", s[3], b, b);
    }
    const std::uint32_t channels = s[3] / (b * b);
    return shuffle(op, x, Shape{s[0], s[1], s[2], b, b, channels}, {0, 1, 3, 2, 4, 5},
                   Shape{s[0], s[1] * b, s[2] * b, channels});
}

Result<Outputs> map_space_to_depth(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape s = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t b, block_of<schema::SpaceToDepthOptions>(op, s));
    if (s[1] % b != 0 || s[2] % b != 0) {
        return fail(ErrorCode::Parse, "a picture of {}x{} in blocks of {}", s[2], s[1], b);
    }
    return shuffle(op, x, Shape{s[0], s[1] / b, b, s[2] / b, b, s[3]}, {0, 1, 3, 2, 4, 5},
                   Shape{s[0], s[1] / b, s[2] / b, s[3] * b * b});
}

} // namespace sluice::models::tflite
