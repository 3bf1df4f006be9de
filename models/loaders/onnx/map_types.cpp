// SPDX-License-Identifier: Apache-2.0
// Mappings between data types, and between numbers and what is quantised.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::DataType;
using graph::OperandId;
using graph::Shape;

namespace {

Result<Outputs> cast_to(Operation& op, OperandId x, std::int32_t type) {
    if (type == schema::Tensor::BOOL) {
        // Anything but zero is true, also what would truncate to zero.
        SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
        SLUICE_TRY_ASSIGN(Outputs outputs, op.build().not_equal(x, zero, op.label()));
        outputs.is_bool = true;
        return outputs;
    }
    const auto to = data_type(type);
    if (!to) {
        return fail(ErrorCode::Unsupported, "to the type {}, which WebNN lacks", type_name(type));
    }
    if (op.desc(x).type() == *to) {
        return x;
    }
    return op.build().cast(x, *to, op.label());
}

} // namespace

Result<Outputs> map_cast(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t to, op.integer("to", 0));
    if (!std::in_range<std::int32_t>(to)) {
        return fail(ErrorCode::Parse, "to the type {}", to);
    }
    return cast_to(op, x, static_cast<std::int32_t>(to));
}

Result<Outputs> map_cast_like(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const ElementType type, op.type(1));
    return cast_to(op, x, type);
}

namespace {

struct Quantization {
    OperandId scale;
    OperandId zero_point;
};

// Scale and zero point as WebNN wants them: as many dimensions as x, those that are not addressed
// being 1. One for all, one for each index along the axis, or one for each block.
Result<Quantization> quantization_of(Operation& op, OperandId x, DataType type) {
    SLUICE_TRY_ASSIGN(OperandId scale, op.input(1));
    SLUICE_TRY_ASSIGN(const std::int64_t block, op.integer("block_size", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 1));
    const Shape shape = op.shape(x);
    const Shape given = op.shape(scale);
    Shape wanted = given;
    if (block == 0) {
        wanted = Shape(std::vector<std::uint32_t>(shape.rank(), 1));
        if (given.element_count() != 1) {
            SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, shape.rank()));
            if (given.rank() != 1 || given[0] != shape[axis]) {
                return fail(ErrorCode::Parse, "scales {} for axis {} of {}",
                            graph::to_string(given), axis, graph::to_string(shape));
            }
            wanted[axis] = given[0];
        }
    }
    SLUICE_TRY_ASSIGN(scale, op.reshaped(scale, wanted));
    if (op.has_input(2)) {
        SLUICE_TRY_ASSIGN(const OperandId stored, op.input(2));
        SLUICE_TRY_ASSIGN(const OperandId zero, op.reshaped(stored, wanted));
        return Quantization{.scale = scale, .zero_point = zero};
    }
    SLUICE_TRY_ASSIGN(const auto zeros, graph::TensorDesc::create(type, wanted));
    SLUICE_TRY(op.budget().take(zeros.byte_size()));
    SLUICE_TRY_ASSIGN(const OperandId zero,
                      op.build().constant(zeros, graph::ConstantData::own(
                                                     std::vector<std::byte>(zeros.byte_size()))));
    return Quantization{.scale = scale, .zero_point = zero};
}

} // namespace

Result<Outputs> map_quantize_linear(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t wanted, op.integer("output_dtype", schema::Tensor::UINT8));
    const bool given = op.has_input(2) || std::in_range<std::int32_t>(wanted);
    const auto type = given ? data_type(static_cast<std::int32_t>(wanted)) : std::nullopt;
    if (!op.has_input(2) && !type) {
        return fail(ErrorCode::Unsupported, "to the type {}",
                    type_name(static_cast<std::int32_t>(wanted)));
    }
    SLUICE_TRY_ASSIGN(const Quantization how,
                      quantization_of(op, x, type.value_or(DataType::Uint8)));
    const DataType scale_type = op.desc(how.scale).type();
    if (op.desc(x).type() != scale_type) {
        SLUICE_TRY_ASSIGN(x, op.build().cast(x, scale_type, op.label()));
    }
    return op.build().quantize_linear(x, how.scale, how.zero_point, op.label());
}

Result<Outputs> map_dequantize_linear(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Quantization how, quantization_of(op, x, op.desc(x).type()));
    return op.build().dequantize_linear(x, how.scale, how.zero_point, op.label());
}

} // namespace sluice::models::onnx
