// SPDX-License-Identifier: Apache-2.0
// Builder calls behind single operators of files.
#include "models/loaders/compositions.h"

#include <numbers>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/expression.h"
#include "core/ops/unary.h"

namespace sluice::models {

// (1 + tanh(u)) / 2 = sigmoid(2u).
Result<graph::OperandId> gelu_tanh(graph::GraphBuilder& builder, graph::OperandId x,
                                   std::string_view label) {
    const double slope = 2.0 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    SLUICE_TRY_ASSIGN(const graph::OperandId square, builder.mul(x, x, label));
    SLUICE_TRY_ASSIGN(
        const graph::OperandId factor,
        builder.unary({.kind = ops::UnaryKind::Linear, .alpha = slope * 0.044715, .beta = slope},
                      square, label));
    SLUICE_TRY_ASSIGN(const graph::OperandId argument, builder.mul(factor, x, label));
    SLUICE_TRY_ASSIGN(const graph::OperandId gate, builder.sigmoid(argument, label));
    return builder.mul(x, gate, label);
}

namespace {

using graph::Expression;

// atan(t) of 0..1. Halving the angle twice leaves at most 0.199, where five terms of the series
// 1 - t^2/3 + t^4/5 - ... are off by 2e-9 of the result.
Expression arc_tangent(const Expression& t) {
    const auto halved = [](const Expression& tangent) {
        return tangent / (1.0 + sqrt(1.0 + tangent * tangent));
    };
    const Expression quarter = halved(halved(t));
    const Expression square = quarter * quarter;
    Expression series = square * (1.0 / 9.0) - 1.0 / 7.0;
    series = series * square + 1.0 / 5.0;
    series = series * square - 1.0 / 3.0;
    return 4.0 * (series * square * quarter + quarter);
}

// Below zero, or the zero below zero.
Expression is_negative(const Expression& x) {
    return logical_or(lesser(x, x.scalar(0.0)), lesser(reciprocal(x), x.scalar(0.0)));
}

} // namespace

// WebNN has no inverse of any function of angles.
Result<graph::OperandId> atan2(graph::GraphBuilder& builder, graph::OperandId y, graph::OperandId x,
                               std::string_view label) {
    const Expression up(builder, y);
    const Expression right(builder, x);
    const Expression height = abs(up);
    const Expression width = abs(right);
    const Expression shorter = min(height, width);
    const Expression longer = max(height, width);
    // Equal ones may have no quotient: two zeros have the tangent 0, two infinities 1.
    const Expression tangent = where(lesser(shorter, longer), shorter / longer, sign(longer));
    Expression angle = arc_tangent(tangent);
    angle = where(greater(height, width), std::numbers::pi / 2 - angle, angle);
    angle = where(is_negative(right), std::numbers::pi - angle, angle);
    return where(is_negative(up), -angle, angle, label).id();
}

} // namespace sluice::models
