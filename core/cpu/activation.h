// SPDX-License-Identifier: Apache-2.0
// The activations that CPU kernels apply in their epilogue: parameters, and which ones there are.
#pragma once

#include <limits>

#include "core/ops/unary.h"

namespace sluice::cpu {

// ops::Activation in the precision of the kernels.
struct Activation {
    ops::UnaryKind kind = ops::UnaryKind::Identity;
    float alpha = 0.0F;
    float beta = 0.0F;
};

[[nodiscard]] inline Activation to_cpu(const ops::Activation& activation) {
    return {.kind = activation.kind,
            .alpha = static_cast<float>(activation.alpha),
            .beta = static_cast<float>(activation.beta)};
}

// Whether apply() of activation-inl.h has it.
[[nodiscard]] constexpr bool has_kernel(ops::UnaryKind kind) {
    switch (kind) {
    case ops::UnaryKind::Identity:
    case ops::UnaryKind::Relu:
    case ops::UnaryKind::Clamp:
    case ops::UnaryKind::LeakyRelu:
    case ops::UnaryKind::Elu:
    case ops::UnaryKind::HardSwish:
    case ops::UnaryKind::HardSigmoid:
    case ops::UnaryKind::Sigmoid:
    case ops::UnaryKind::Tanh:
    case ops::UnaryKind::Linear: return true;
    default: // all the others of unary.def: never fused
        return false;
    }
}

// What it costs an element beside the few operations of the others, in those of a matrix product: a
// power of e and a division.
[[nodiscard]] constexpr double activation_flops(ops::UnaryKind kind) {
    using enum ops::UnaryKind;
    return kind == Sigmoid || kind == Tanh || kind == Elu ? 40.0 : 0.0;
}

// Those that are no more than a lower and an upper bound.
[[nodiscard]] constexpr bool is_bounds(ops::UnaryKind kind) {
    return kind == ops::UnaryKind::Identity || kind == ops::UnaryKind::Relu ||
           kind == ops::UnaryKind::Clamp;
}
struct Bounds {
    float low, high;
};
// Infinite for the activations that are not bounds.
[[nodiscard]] inline Bounds bounds_of(const Activation& activation) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (activation.kind == ops::UnaryKind::Relu) {
        return {.low = 0.0F, .high = kInfinity};
    }
    if (activation.kind == ops::UnaryKind::Clamp) {
        return {.low = activation.alpha, .high = activation.beta};
    }
    return {.low = -kInfinity, .high = kInfinity};
}

} // namespace sluice::cpu
