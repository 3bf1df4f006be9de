// SPDX-License-Identifier: Apache-2.0
// Mappings of element-wise operators.
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/binary.h"
#include "core/ops/unary.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using ops::BinaryKind;
using ops::UnaryKind;

namespace {

// The function fused to an arithmetic operator; the others have none.
schema::ActivationFunctionType fused_function(const Operation& op) {
    if (const auto* add = op.options<schema::AddOptions>()) {
        return add->fused_activation_function();
    }
    if (const auto* sub = op.options<schema::SubOptions>()) {
        return sub->fused_activation_function();
    }
    if (const auto* mul = op.options<schema::MulOptions>()) {
        return mul->fused_activation_function();
    }
    if (const auto* div = op.options<schema::DivOptions>()) {
        return div->fused_activation_function();
    }
    return schema::ActivationFunctionType::NONE;
}

} // namespace

Result<Outputs> map_unary(Operation& op, const ops::Activation& function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return op.build().unary(function, x, op.label());
}

Result<Outputs> map_binary(Operation& op, BinaryKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId result, op.build().binary(kind, a, b, op.label()));
    return op.activate(result, fused_function(op));
}

Result<Outputs> map_add_n(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId sum, op.input(0));
    for (std::size_t i = 1; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(const OperandId next, op.input(i));
        SLUICE_TRY_ASSIGN(sum, op.build().add(sum, next, op.label()));
    }
    return sum;
}

Result<Outputs> map_elu(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Elu, .alpha = 1.0});
}

Result<Outputs> map_floor_div(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    if (!op.is_float(a)) {
        return fail(ErrorCode::Unsupported, "integers");
    }
    SLUICE_TRY_ASSIGN(const OperandId quotient, op.build().div(a, b, op.label()));
    return op.build().floor(quotient, op.label());
}

Result<Outputs> map_floor_mod(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    if (!op.is_float(a)) {
        return fail(ErrorCode::Unsupported, "integers");
    }
    SLUICE_TRY_ASSIGN(const OperandId quotient, op.build().div(a, b, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId whole, op.build().floor(quotient, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().mul(whole, b, op.label()));
    return op.build().sub(a, product, op.label());
}

Result<Outputs> map_gelu(Operation& op) {
    const auto* options = op.options<schema::GeluOptions>();
    if (options == nullptr || !options->approximate()) {
        return map_unary(op, {.kind = UnaryKind::Gelu});
    }
    // x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), and (1 + tanh(u)) / 2 = sigmoid(2u).
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId square, op.build().mul(x, x, op.label()));
    const double slope = 2.0 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    SLUICE_TRY_ASSIGN(
        const OperandId factor,
        op.build().unary({.kind = UnaryKind::Linear, .alpha = slope * 0.044715, .beta = slope},
                         square, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId argument, op.build().mul(factor, x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId gate, op.build().sigmoid(argument, op.label()));
    return op.build().mul(x, gate, op.label());
}

Result<Outputs> map_leaky_relu(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::LeakyReluOptions>());
    return map_unary(op, {.kind = UnaryKind::LeakyRelu, .alpha = options->alpha()});
}

Result<Outputs> map_relu6(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Clamp, .alpha = 0.0, .beta = 6.0});
}

Result<Outputs> map_relu_0_to_1(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Clamp, .alpha = 0.0, .beta = 1.0});
}

Result<Outputs> map_relu_n1_to_1(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Clamp, .alpha = -1.0, .beta = 1.0});
}

Result<Outputs> map_rsqrt(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId root, op.build().sqrt(x, op.label()));
    return op.build().reciprocal(root, op.label());
}

// The first version's condition may be a vector that selects whole rows.
Result<Outputs> map_select(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId condition, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId yes, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId no, op.input(2));
    const graph::Shape shape = op.shape(condition);
    const std::size_t rank = op.shape(yes).rank();
    if (shape.rank() != 1 || rank <= 1) {
        return op.build().where(condition, yes, no, op.label());
    }
    std::vector<std::uint32_t> rows(rank, 1);
    rows[0] = shape[0];
    SLUICE_TRY_ASSIGN(const OperandId column,
                      op.build().reshape(condition, graph::Shape(rows), op.label()));
    return op.build().where(column, yes, no, op.label());
}

Result<Outputs> map_select_v2(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId condition, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId yes, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId no, op.input(2));
    return op.build().where(condition, yes, no, op.label());
}

Result<Outputs> map_square(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return op.build().mul(x, x, op.label());
}

Result<Outputs> map_squared_difference(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId difference, op.build().sub(a, b, op.label()));
    return op.build().mul(difference, difference, op.label());
}

} // namespace sluice::models::tflite
