// SPDX-License-Identifier: Apache-2.0
// Builder calls behind single operators of files.
#include "models/loaders/compositions.h"

#include <numbers>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/builder.h"
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

} // namespace sluice::models
