// SPDX-License-Identifier: Apache-2.0
// The activations that CPU kernels apply in their epilogue: parameters, and which ones there are.
#pragma once

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

} // namespace sluice::cpu
