// SPDX-License-Identifier: Apache-2.0
// Mappings of element-wise operators and reductions.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "models/loaders/compositions.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tfjs/mappings.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

using graph::OperandId;
using ops::UnaryKind;

namespace {

using OfOne = Result<OperandId> (*)(tensorflow::Context&, OperandId);
using OfTwo = Result<OperandId> (*)(tensorflow::Context&, OperandId, OperandId);

Result<Outputs> of_one(Operation& op, OfOne function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return function(op, x);
}

Result<Outputs> of_two(Operation& op, OfTwo function) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return function(op, a, b);
}

Result<Outputs> map_arg(Operation& op, bool is_max) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t dimension, op.integer(1));
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(dimension, op.shape(x).rank()));
    return op.build().arg_min_max(
        x, {.is_max = is_max, .axis = axis, .output_type = graph::DataType::Int32}, op.label());
}

} // namespace

Result<Outputs> map_unary(Operation& op, const ops::Activation& function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return op.build().unary(function, x, op.label());
}

Result<Outputs> map_binary(Operation& op, ops::BinaryKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return op.build().binary(kind, a, b, op.label());
}

Result<Outputs> map_reduce(Operation& op, ops::ReduceKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integers(1));
    return tensorflow::reduce(op, kind, x, axes, op.flag("keep_dims"));
}

Result<Outputs> map_add_n(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto terms, op.inputs(0, op.input_count()));
    return tensorflow::sum_of(op, terms);
}

Result<Outputs> map_arg_max(Operation& op) {
    return map_arg(op, true);
}

Result<Outputs> map_arg_min(Operation& op) {
    return map_arg(op, false);
}

Result<Outputs> map_cast(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    if (op.is_bool("DstT")) {
        // Anything but zero is true, also what would truncate to zero.
        SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
        return op.build().not_equal(x, zero, op.label());
    }
    SLUICE_TRY_ASSIGN(const graph::DataType to, op.type("DstT"));
    return op.build().cast(x, to, op.label());
}

Result<Outputs> map_atan2(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, op.inputs(0, 2));
    return atan2(op.build(), inputs[0], inputs[1], op.label());
}

Result<Outputs> map_elu(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Elu, .alpha = 1.0});
}

Result<Outputs> map_floor_div(Operation& op) {
    return of_two(op, tensorflow::floor_div);
}

Result<Outputs> map_floor_mod(Operation& op) {
    return of_two(op, tensorflow::floor_mod);
}

Result<Outputs> map_leaky_relu(Operation& op) {
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 0.2));
    return map_unary(op, {.kind = UnaryKind::LeakyRelu, .alpha = alpha});
}

Result<Outputs> map_log_softmax(Operation& op) {
    return of_one(op, tensorflow::log_softmax);
}

Result<Outputs> map_relu6(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Clamp, .alpha = 0.0, .beta = 6.0});
}

Result<Outputs> map_rsqrt(Operation& op) {
    return of_one(op, tensorflow::rsqrt);
}

Result<Outputs> map_select(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, op.inputs(0, 3));
    return tensorflow::select_rows(op, inputs[0], inputs[1], inputs[2]);
}

Result<Outputs> map_select_v2(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, op.inputs(0, 3));
    return op.build().where(inputs[0], inputs[1], inputs[2], op.label());
}

Result<Outputs> map_softmax(Operation& op) {
    return of_one(op, tensorflow::softmax);
}

Result<Outputs> map_square(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return op.build().mul(x, x, op.label());
}

Result<Outputs> map_squared_difference(Operation& op) {
    return of_two(op, tensorflow::squared_difference);
}

Result<Outputs> map_ones_like(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::filled_like(op, x, 1.0);
}

Result<Outputs> map_zeros_like(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::filled_like(op, x, 0.0);
}

Result<Outputs> map_identity(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return x;
}

} // namespace sluice::models::tfjs
