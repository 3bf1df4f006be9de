// SPDX-License-Identifier: Apache-2.0
// Any function of unary.def on one float: for the unary operator and for fused activations.
#pragma once

#include <cmath>

#include "core/ops/unary.h"

namespace sluice::reference {

// f(x); functions with a truth value give 0 or 1.
[[nodiscard]] inline float evaluate(const ops::Activation& function, float x) {
    [[maybe_unused]] const auto alpha = static_cast<float>(function.alpha);
    [[maybe_unused]] const auto beta = static_cast<float>(function.beta);
    switch (function.kind) {
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    case ops::UnaryKind::Type: return static_cast<float>(expression);
#include "core/ops/unary.def"
#undef SLUICE_UNARY
    }
    return x;
}

} // namespace sluice::reference
