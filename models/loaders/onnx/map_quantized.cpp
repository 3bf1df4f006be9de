// SPDX-License-Identifier: Apache-2.0
// Mappings of operators on quantised operands: each becomes dequantizeLinear, the operator on
// floats, and quantizeLinear or a cast, which the engine computes in integers again.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/reduce.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::DataType;
using graph::OperandId;
using graph::Shape;

namespace {

// A scale or a zero point as WebNN wants it for x: as many dimensions, one element for all or one
// for each index of `axis`.
Result<OperandId> spread(Operation& op, OperandId given, OperandId x, std::size_t axis) {
    const Shape shape = op.shape(x);
    const Shape have = op.shape(given);
    Shape wanted(std::vector<std::uint32_t>(shape.rank(), 1));
    if (have.element_count() != 1) {
        if (axis >= shape.rank() || have.element_count() != shape[axis]) {
            return fail(ErrorCode::Parse, "scales or zero points {} for axis {} of {}",
                        graph::to_string(have), axis, graph::to_string(shape));
        }
        wanted[axis] = shape[axis];
    }
    return op.reshaped(given, wanted);
}

// Input i, whose scale and zero point are the two inputs behind it, as numbers.
Result<OperandId> dequantized(Operation& op, std::size_t i, std::size_t axis) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(i));
    SLUICE_TRY_ASSIGN(const OperandId given_scale, op.input(i + 1));
    SLUICE_TRY_ASSIGN(const OperandId given_zero, op.input(i + 2));
    SLUICE_TRY_ASSIGN(const OperandId scale, spread(op, given_scale, x, axis));
    SLUICE_TRY_ASSIGN(const OperandId zero, spread(op, given_zero, x, axis));
    return op.build().dequantize_linear(x, scale, zero, op.label());
}

// y by the scale and the zero point that are inputs 6 and 7.
Result<OperandId> quantized(Operation& op, OperandId y) {
    SLUICE_TRY_ASSIGN(const OperandId given_scale, op.input(6));
    SLUICE_TRY_ASSIGN(const OperandId given_zero, op.input(7));
    SLUICE_TRY_ASSIGN(const OperandId scale, spread(op, given_scale, y, 0));
    SLUICE_TRY_ASSIGN(const OperandId zero, spread(op, given_zero, y, 0));
    return op.build().quantize_linear(y, scale, zero, op.label());
}

// Integers of input i less the zero point of an input that may be absent, as floats.
Result<OperandId> centred(Operation& op, std::size_t i, std::size_t zero_input, std::size_t axis) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(i));
    SLUICE_TRY_ASSIGN(const OperandId one, op.build().constant(DataType::Float32, 1.0));
    OperandId zero{};
    if (op.has_input(zero_input)) {
        SLUICE_TRY_ASSIGN(zero, op.input(zero_input));
    } else {
        SLUICE_TRY_ASSIGN(zero, op.build().constant(op.desc(x).type(), 0.0));
    }
    SLUICE_TRY_ASSIGN(zero, spread(op, zero, x, axis));
    SLUICE_TRY_ASSIGN(OperandId scale,
                      op.reshaped(one, Shape(std::vector<std::uint32_t>(op.shape(x).rank(), 1))));
    if (op.shape(zero) != op.shape(scale)) {
        SLUICE_TRY_ASSIGN(scale, op.build().expand(scale, op.shape(zero), op.label()));
    }
    return op.build().dequantize_linear(x, scale, zero, op.label());
}

// The bias of QLinearConv, int32 in steps of the product of both scales, as numbers.
Result<std::optional<OperandId>> bias_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::optional<OperandId> stored, op.optional_input(8));
    if (!stored) {
        return std::nullopt;
    }
    SLUICE_TRY_ASSIGN(OperandId x_scale, op.input(1));
    SLUICE_TRY_ASSIGN(OperandId w_scale, op.input(4));
    SLUICE_TRY_ASSIGN(x_scale, op.reshaped(x_scale, Shape{1}));
    SLUICE_TRY_ASSIGN(
        w_scale,
        op.reshaped(w_scale, Shape{static_cast<std::uint32_t>(op.shape(w_scale).element_count())}));
    SLUICE_TRY_ASSIGN(const OperandId step, op.build().mul(x_scale, w_scale, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId steps,
                      op.build().cast(*stored, op.desc(step).type(), op.label()));
    SLUICE_TRY_ASSIGN(const OperandId bias, op.build().mul(steps, step, op.label()));
    return bias;
}

} // namespace

Result<Outputs> map_qlinear_conv(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, dequantized(op, 0, 1));
    SLUICE_TRY_ASSIGN(const OperandId w, dequantized(op, 3, 0));
    SLUICE_TRY_ASSIGN(const std::optional<OperandId> bias, bias_of(op));
    SLUICE_TRY_ASSIGN(const OperandId y, convolve(op, x, w, bias));
    SLUICE_TRY_ASSIGN(const OperandId stored, quantized(op, y));
    return stored;
}

// Scales of A are of its rows, those of B of its columns.
Result<Outputs> map_qlinear_matmul(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId stored_a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId stored_b, op.input(3));
    SLUICE_TRY_ASSIGN(const OperandId a, dequantized(op, 0, op.shape(stored_a).rank() - 2));
    SLUICE_TRY_ASSIGN(const OperandId b, dequantized(op, 3, op.shape(stored_b).rank() - 1));
    SLUICE_TRY_ASSIGN(const OperandId y, multiply(op, a, b));
    SLUICE_TRY_ASSIGN(const OperandId stored, quantized(op, y));
    return stored;
}

Result<Outputs> map_conv_integer(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, centred(op, 0, 2, 1));
    SLUICE_TRY_ASSIGN(const OperandId w, centred(op, 1, 3, 0));
    SLUICE_TRY_ASSIGN(const OperandId y, convolve(op, x, w, std::nullopt));
    return op.build().cast(y, DataType::Int32, op.label());
}

Result<Outputs> map_matmul_integer(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId stored_a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId stored_b, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId a, centred(op, 0, 2, op.shape(stored_a).rank() - 2));
    SLUICE_TRY_ASSIGN(const OperandId b, centred(op, 1, 3, op.shape(stored_b).rank() - 1));
    SLUICE_TRY_ASSIGN(const OperandId y, multiply(op, a, b));
    return op.build().cast(y, DataType::Int32, op.label());
}

// The scale and the zero point are those of the values at hand; 0 is always one of them.
Result<Outputs> map_dynamic_quantize_linear(Operation& op) {
    graph::GraphBuilder& build = op.build();
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId zero, build.constant(DataType::Float32, 0.0));
    SLUICE_TRY_ASSIGN(const OperandId steps, build.constant(DataType::Float32, 255.0));
    SLUICE_TRY_ASSIGN(OperandId low, build.reduce(ops::ReduceKind::Min, x, {}, true, op.label()));
    SLUICE_TRY_ASSIGN(OperandId high, build.reduce(ops::ReduceKind::Max, x, {}, true, op.label()));
    SLUICE_TRY_ASSIGN(low, build.min(low, zero, op.label()));
    SLUICE_TRY_ASSIGN(high, build.max(high, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId range, build.sub(high, low, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId scale, build.div(range, steps, op.label()));
    SLUICE_TRY_ASSIGN(OperandId point, build.div(low, scale, op.label()));
    SLUICE_TRY_ASSIGN(point, build.sub(zero, point, op.label()));
    SLUICE_TRY_ASSIGN(point, build.min(point, steps, op.label()));
    SLUICE_TRY_ASSIGN(point, build.max(point, zero, op.label()));
    SLUICE_TRY_ASSIGN(point, build.round_even(point, op.label()));
    SLUICE_TRY_ASSIGN(point, build.cast(point, DataType::Uint8, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y, build.quantize_linear(x, scale, point, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y_scale, build.reshape(scale, Shape{}, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y_zero, build.reshape(point, Shape{}, op.label()));
    return Outputs(std::vector{y, y_scale, y_zero});
}

} // namespace sluice::models::onnx
