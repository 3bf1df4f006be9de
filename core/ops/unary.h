// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one operand: attributes and shape inference (WebNN 7.8.18 and the
// activations).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

// One enumerator per row of unary.def.
enum class UnaryKind : std::uint8_t {
#define SLUICE_UNARY(name, Type, domain, expression, low, high) Type,
#include "core/ops/unary.def"
#undef SLUICE_UNARY
};

// WebNN name in snake_case: "hard_swish".
[[nodiscard]] std::string_view name(UnaryKind kind);

// A function with its parameters. clamp: alpha is the minimum, beta the maximum. elu, leaky_relu:
// alpha. hard_sigmoid, linear: alpha * x + beta. The others ignore both.
struct Activation {
    UnaryKind kind = UnaryKind::Identity;
    double alpha = 0.0;
    double beta = 0.0;

    friend bool operator==(const Activation&, const Activation&) = default;
};

struct Unary {
    static constexpr std::string_view kName = "unary";
    Activation function;
};

// Inputs: x. Output: x's shape; uint8 for logical_not, is_nan and is_infinite, else x's type.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Unary& op, std::span<const graph::TensorDesc> inputs);

// "clamp(0,6)": the parameters where the function has any.
[[nodiscard]] std::string describe(const Activation& function);
// The parameters of the function: "min=0 max=6".
[[nodiscard]] std::string describe(const Unary& op);

} // namespace sluice::ops
