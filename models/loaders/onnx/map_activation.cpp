// SPDX-License-Identifier: Apache-2.0
// Mappings of activation functions, those that WebNN lacks by composition.
#include <cstdint>
#include <limits>
#include <string>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/unary.h"
#include "models/loaders/compositions.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using ops::UnaryKind;

// max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)), which is alpha * elu(x / alpha) in each half.
Result<Outputs> map_celu(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 1.0));
    SLUICE_TRY_ASSIGN(const OperandId scale, op.number(x, alpha));
    SLUICE_TRY_ASSIGN(const OperandId scaled, op.build().div(x, scale, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId elu,
                      op.build().unary({.kind = UnaryKind::Elu, .alpha = 1.0}, scaled, op.label()));
    return op.build().mul(elu, scale, op.label());
}

// Bounds were attributes up to version 6 and are inputs since; computed ones are max and min.
Result<Outputs> map_clip(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    const double infinity = std::numeric_limits<double>::infinity();
    const bool known =
        (!op.has_input(1) || op.is_literal(1)) && (!op.has_input(2) || op.is_literal(2));
    if (!known) {
        if (op.has_input(1)) {
            SLUICE_TRY_ASSIGN(const OperandId low, op.input(1));
            SLUICE_TRY_ASSIGN(x, op.build().max(x, low, op.label()));
        }
        if (op.has_input(2)) {
            SLUICE_TRY_ASSIGN(const OperandId high, op.input(2));
            SLUICE_TRY_ASSIGN(x, op.build().min(x, high, op.label()));
        }
        return x;
    }
    SLUICE_TRY_ASSIGN(double low, op.real("min", -infinity));
    SLUICE_TRY_ASSIGN(double high, op.real("max", infinity));
    if (op.has_input(1)) {
        SLUICE_TRY_ASSIGN(low, op.scalar(1));
    }
    if (op.has_input(2)) {
        SLUICE_TRY_ASSIGN(high, op.scalar(2));
    }
    // WebNN's clamp wants them in order; where they are not, the upper one wins.
    if (low > high) {
        low = high;
    }
    return op.build().unary({.kind = UnaryKind::Clamp, .alpha = low, .beta = high}, x, op.label());
}

Result<Outputs> map_elu(Operation& op) {
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 1.0));
    return map_unary(op, {.kind = UnaryKind::Elu, .alpha = alpha});
}

Result<Outputs> map_gelu(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string approximate, op.text("approximate", "none"));
    if (approximate == "none") {
        return map_unary(op, {.kind = UnaryKind::Gelu});
    }
    if (approximate != "tanh") {
        return fail(ErrorCode::Unsupported, "the approximation '{}'", approximate);
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return gelu_tanh(op.build(), x, op.label());
}

Result<Outputs> map_hard_sigmoid(Operation& op) {
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 0.2));
    SLUICE_TRY_ASSIGN(const double beta, op.real("beta", 0.5));
    return map_unary(op, {.kind = UnaryKind::HardSigmoid, .alpha = alpha, .beta = beta});
}

Result<Outputs> map_leaky_relu(Operation& op) {
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 0.01));
    return map_unary(op, {.kind = UnaryKind::LeakyRelu, .alpha = alpha});
}

// x * tanh(softplus(x))
Result<Outputs> map_mish(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId plus, op.build().softplus(x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId gate, op.build().tanh(plus, op.label()));
    return op.build().mul(x, gate, op.label());
}

// Integers are not what WebNN's operator takes everywhere, but the composition does.
Result<Outputs> map_prelu(Operation& op) {
    return map_binary(op, ops::BinaryKind::Prelu);
}

// gamma * elu(x, alpha)
Result<Outputs> map_selu(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 1.67326319217681884765625));
    SLUICE_TRY_ASSIGN(const double gamma, op.real("gamma", 1.05070102214813232421875));
    SLUICE_TRY_ASSIGN(const OperandId elu,
                      op.build().unary({.kind = UnaryKind::Elu, .alpha = alpha}, x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId scale, op.number(x, gamma));
    return op.build().mul(elu, scale, op.label());
}

// x + bias below -lambd, x - bias above lambd, 0 between.
Result<Outputs> map_shrink(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double lambd, op.real("lambd", 0.5));
    SLUICE_TRY_ASSIGN(const double bias, op.real("bias", 0.0));
    SLUICE_TRY_ASSIGN(const OperandId high, op.number(x, lambd));
    SLUICE_TRY_ASSIGN(const OperandId low, op.number(x, -lambd));
    SLUICE_TRY_ASSIGN(const OperandId shift, op.number(x, bias));
    SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
    SLUICE_TRY_ASSIGN(const OperandId is_high, op.build().greater(x, high, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId is_low, op.build().lesser(x, low, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId lowered, op.build().sub(x, shift, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId raised, op.build().add(x, shift, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId rest, op.build().where(is_low, raised, zero, op.label()));
    return op.build().where(is_high, lowered, rest, op.label());
}

// x * sigmoid(alpha * x)
Result<Outputs> map_swish(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 1.0));
    SLUICE_TRY_ASSIGN(
        const OperandId scaled,
        op.build().unary({.kind = UnaryKind::Linear, .alpha = alpha, .beta = 0.0}, x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId gate, op.build().sigmoid(scaled, op.label()));
    return op.build().mul(x, gate, op.label());
}

Result<Outputs> map_thresholded_relu(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 1.0));
    SLUICE_TRY_ASSIGN(const OperandId threshold, op.number(x, alpha));
    SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
    SLUICE_TRY_ASSIGN(const OperandId above, op.build().greater(x, threshold, op.label()));
    return op.build().where(above, x, zero, op.label());
}

} // namespace sluice::models::onnx
