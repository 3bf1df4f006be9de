// SPDX-License-Identifier: Apache-2.0
// Mappings that change shapes, or repeat and blank out what is there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/triangular.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"
#include "models/loaders/onnx/tensor.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

Dims dims_of(const Shape& shape) {
    return {shape.begin(), shape.end()};
}

using Resolve = Result<Dims> (*)(Operation&, const Dims&);

Result<Outputs> reshaped_by(Operation& op, Resolve resolve) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Dims dims, resolve(op, dims_of(op.shape(x))));
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    return op.reshaped(x, shape);
}

struct Blocks {
    OperandId x;
    Shape shape; // of rank 4
    std::uint32_t size;
};

Result<Blocks> blocks_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("blocksize", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t size, positive(listed, "blocksize"));
    const Shape shape = op.shape(x);
    if (shape.rank() != 4 || size > 0xFFFF) {
        return fail(ErrorCode::Parse, "blocks of {} in {}", size, graph::to_string(shape));
    }
    return Blocks{.x = x, .shape = shape, .size = size};
}

} // namespace

Result<Outputs> map_reshape(Operation& op) {
    return reshaped_by(op, reshaped_dims);
}

Result<Outputs> map_squeeze(Operation& op) {
    return reshaped_by(op, squeezed_dims);
}

Result<Outputs> map_unsqueeze(Operation& op) {
    return reshaped_by(op, unsqueezed_dims);
}

Result<Outputs> map_flatten(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 1));
    const auto rank = static_cast<std::int64_t>(shape.rank());
    if (listed < -rank || listed > rank) {
        return fail(ErrorCode::Parse, "axis {} of a tensor of {} dimensions", listed, rank);
    }
    const std::int64_t axis = listed < 0 ? listed + rank : listed;
    Shape flat{1, 1};
    for (std::int64_t i = 0; i < rank; ++i) {
        // Factors of an existing tensor's element count.
        flat[i < axis ? 0 : 1] *= shape[static_cast<std::size_t>(i)];
    }
    return op.reshaped(x, flat);
}

Result<Outputs> map_identity(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return x;
}

// At inference nothing is dropped, and the mask keeps everything.
Result<Outputs> map_dropout(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    if (op.has_input(2)) {
        SLUICE_TRY_ASSIGN(const double training, op.scalar(2));
        if (training != 0.0) {
            return fail(ErrorCode::Unsupported, "training; export the model for inference");
        }
    }
    if (!op.has_output(1)) {
        return x;
    }
    SLUICE_TRY_ASSIGN(const OperandId kept, op.build().constant(graph::DataType::Uint8, 1.0));
    SLUICE_TRY_ASSIGN(const OperandId mask, op.build().expand(kept, op.shape(x), op.label()));
    return std::vector{x, mask};
}

Result<Outputs> map_transpose(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(auto axes, permutation(op, op.shape(x).rank()));
    if (axes.empty()) {
        return x;
    }
    return op.build().transpose(x, std::move(axes), op.label());
}

// A dimension of 1 in the wanted shape leaves x's as it is.
Result<Outputs> map_expand(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Dims wanted, op.integers(1));
    SLUICE_TRY_ASSIGN(const Dims dims, broadcast_dims(dims_of(op.shape(x)), wanted));
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    if (shape == op.shape(x)) {
        return x;
    }
    return op.build().expand(x, shape, op.label());
}

// What is too large to be computed at load time is a scalar that the graph expands.
Result<Outputs> map_constant_of_shape(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.integers(0));
    SLUICE_TRY_ASSIGN(const Shape shape, shape_of(dims));
    SLUICE_TRY_ASSIGN(const schema::Tensor* stored, op.tensor("value"));
    Literal value{.type = schema::Tensor::FLOAT, .dims = {}, .integers = {}, .reals = {0.0}};
    if (stored != nullptr) {
        SLUICE_TRY_ASSIGN(value, read_literal(op.translation().source, *stored));
        value.dims.clear();
    }
    if (value.size() != 1) {
        return fail(ErrorCode::Parse, "a value of {} elements, one is needed", value.size());
    }
    SLUICE_TRY_ASSIGN(const OperandId scalar, op.add_constant(value));
    return op.build().expand(scalar, shape, op.label());
}

Result<Outputs> map_tile(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Dims listed, op.integers(1));
    std::vector<std::uint32_t> repetitions;
    for (const std::int64_t count : listed) {
        if (count == 0) {
            return fail(ErrorCode::Unsupported, "a tensor without elements");
        }
        SLUICE_TRY_ASSIGN(repetitions.emplace_back(), positive(count, "repeats"));
    }
    return op.build().tile(x, std::move(repetitions), op.label());
}

Result<Outputs> map_trilu(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t upper, op.integer("upper", 1));
    double diagonal = 0.0;
    if (op.has_input(1)) {
        SLUICE_TRY_ASSIGN(diagonal, op.scalar(1));
    }
    // No tensor is larger than this, so that everything beyond is all or nothing of it.
    const auto border =
        static_cast<std::int32_t>(std::clamp(diagonal, -1073741824.0, 1073741824.0));
    return op.build().triangular(x, {.upper = upper != 0, .diagonal = border}, op.label());
}

// DCR: the channels are [block row, block column, depth]; CRD: [depth, block row, block column].
Result<Outputs> map_depth_to_space(Operation& op) {
    SLUICE_TRY_ASSIGN(const Blocks blocks, blocks_of(op));
    SLUICE_TRY_ASSIGN(const std::string mode, op.text("mode", "DCR"));
    const Shape& shape = blocks.shape;
    const std::uint32_t size = blocks.size;
    if (shape[1] % (size * size) != 0 || (mode != "DCR" && mode != "CRD")) {
        return fail(ErrorCode::Parse, "blocks of {} from {} channels in the mode '{}'", size,
                    shape[1], mode);
    }
    const std::uint32_t depth = shape[1] / (size * size);
    const bool depth_last = mode == "DCR";
    const Shape apart = depth_last ? Shape{shape[0], size, size, depth, shape[2], shape[3]}
                                   : Shape{shape[0], depth, size, size, shape[2], shape[3]};
    SLUICE_TRY_ASSIGN(const OperandId split, op.build().reshape(blocks.x, apart, op.label()));
    const std::vector<std::uint32_t> order = depth_last
                                                 ? std::vector<std::uint32_t>{0, 3, 4, 1, 5, 2}
                                                 : std::vector<std::uint32_t>{0, 1, 4, 2, 5, 3};
    SLUICE_TRY_ASSIGN(const OperandId moved, op.build().transpose(split, order, op.label()));
    return op.build().reshape(moved, Shape{shape[0], depth, shape[2] * size, shape[3] * size},
                              op.label());
}

Result<Outputs> map_space_to_depth(Operation& op) {
    SLUICE_TRY_ASSIGN(const Blocks blocks, blocks_of(op));
    const Shape& shape = blocks.shape;
    const std::uint32_t size = blocks.size;
    if (shape[2] % size != 0 || shape[3] % size != 0) {
        return fail(ErrorCode::Parse, "blocks of {} in {}", size, graph::to_string(shape));
    }
    const std::uint32_t height = shape[2] / size;
    const std::uint32_t width = shape[3] / size;
    SLUICE_TRY_ASSIGN(const OperandId split,
                      op.build().reshape(blocks.x,
                                         Shape{shape[0], shape[1], height, size, width, size},
                                         op.label()));
    SLUICE_TRY_ASSIGN(const OperandId moved,
                      op.build().transpose(split, {0, 3, 5, 1, 2, 4}, op.label()));
    return op.build().reshape(moved, Shape{shape[0], shape[1] * size * size, height, width},
                              op.label());
}

} // namespace sluice::models::onnx
