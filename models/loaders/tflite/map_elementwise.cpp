// SPDX-License-Identifier: Apache-2.0
// Mappings of element-wise operators.
#include <cstddef>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/binary.h"
#include "core/ops/unary.h"
#include "models/loaders/compositions.h"
#include "models/loaders/tensorflow/arithmetic.h"
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
    std::vector<OperandId> terms;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(terms.emplace_back(), op.input(i));
    }
    return tensorflow::sum_of(op, terms);
}

Result<Outputs> map_atan2(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId y, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(1));
    return atan2(op.build(), y, x, op.label());
}

Result<Outputs> map_elu(Operation& op) {
    return map_unary(op, {.kind = UnaryKind::Elu, .alpha = 1.0});
}

Result<Outputs> map_floor_div(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return tensorflow::floor_div(op, a, b);
}

Result<Outputs> map_floor_mod(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return tensorflow::floor_mod(op, a, b);
}

Result<Outputs> map_gelu(Operation& op) {
    const auto* options = op.options<schema::GeluOptions>();
    if (options == nullptr || !options->approximate()) {
        return map_unary(op, {.kind = UnaryKind::Gelu});
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return gelu_tanh(op.build(), x, op.label());
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
    return tensorflow::rsqrt(op, x);
}

Result<Outputs> map_select(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId condition, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId yes, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId no, op.input(2));
    return tensorflow::select_rows(op, condition, yes, no);
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
    return tensorflow::squared_difference(op, a, b);
}

} // namespace sluice::models::tflite
