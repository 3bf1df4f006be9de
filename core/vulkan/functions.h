// SPDX-License-Identifier: Apache-2.0
// Element-wise functions as shaders know them: specialisation constants from lib/unary.def and
// lib/binary.def.
#pragma once

#include <cstdint>

#include "core/ops/binary.h"
#include "core/ops/unary.h"

namespace sluice::vulkan {

// The position of the function in the shaders' table.
[[nodiscard]] std::uint32_t function_constant(ops::UnaryKind kind);
[[nodiscard]] std::uint32_t function_constant(ops::BinaryKind kind);

// ops::Activation in the precision of the shaders.
struct ActivationWords {
    std::uint32_t kind = 0;
    float alpha = 0.0F;
    float beta = 0.0F;
};
[[nodiscard]] inline ActivationWords to_words(const ops::Activation& activation) {
    return {.kind = function_constant(activation.kind),
            .alpha = static_cast<float>(activation.alpha),
            .beta = static_cast<float>(activation.beta)};
}

} // namespace sluice::vulkan
