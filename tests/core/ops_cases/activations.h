// SPDX-License-Identifier: Apache-2.0
// The functions that fusion puts into epilogues, written from their definitions in WebNN.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "core/ops/unary.h"

namespace sluice::testing {

inline constexpr std::array kEpilogues{
    ops::Activation{.kind = ops::UnaryKind::Relu, .alpha = 0.0, .beta = 0.0},
    ops::Activation{.kind = ops::UnaryKind::Clamp, .alpha = -0.75, .beta = 1.25},
    ops::Activation{.kind = ops::UnaryKind::LeakyRelu, .alpha = 0.1, .beta = 0.0},
    ops::Activation{.kind = ops::UnaryKind::Elu, .alpha = 0.7, .beta = 0.0},
    ops::Activation{.kind = ops::UnaryKind::HardSwish, .alpha = 0.0, .beta = 0.0},
    ops::Activation{.kind = ops::UnaryKind::HardSigmoid, .alpha = 0.2, .beta = 0.5},
    ops::Activation{.kind = ops::UnaryKind::Sigmoid, .alpha = 0.0, .beta = 0.0},
    ops::Activation{.kind = ops::UnaryKind::Tanh, .alpha = 0.0, .beta = 0.0},
};

[[nodiscard]] inline double expected_epilogue(const ops::Activation& function, double x) {
    switch (function.kind) {
    case ops::UnaryKind::Relu: return std::max(x, 0.0);
    case ops::UnaryKind::Clamp: return std::min(std::max(x, function.alpha), function.beta);
    case ops::UnaryKind::LeakyRelu: return x >= 0.0 ? x : function.alpha * x;
    case ops::UnaryKind::Elu: return x >= 0.0 ? x : function.alpha * (std::exp(x) - 1.0);
    case ops::UnaryKind::HardSwish: return x * std::max(0.0, std::min(6.0, x + 3.0)) / 6.0;
    case ops::UnaryKind::HardSigmoid:
        return std::max(0.0, std::min(1.0, function.alpha * x + function.beta));
    case ops::UnaryKind::Sigmoid: return 1.0 / (1.0 + std::exp(-x));
    case ops::UnaryKind::Tanh: return std::tanh(x);
    default: return x;
    }
}

} // namespace sluice::testing
