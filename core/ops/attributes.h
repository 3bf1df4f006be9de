// SPDX-License-Identifier: Apache-2.0
// OpKind and Attributes: what ops.def lists, as an enum and as a variant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/ops/op_headers.h" // generated from ops.def: one include per operator

namespace sluice::ops {

enum class OpKind : std::uint8_t {
#define SLUICE_OP(file, Type, cpu, vulkan) Type,
#include "core/ops/ops.def"
#undef SLUICE_OP
};

// The attributes of one node: exactly one alternative per OpKind, in the same order.
using Attributes = std::variant<
#define SLUICE_OP(file, Type, cpu, vulkan) Type,
#include "core/ops/ops.def"
#undef SLUICE_OP
    std::monostate>;

inline constexpr std::size_t kOpCount = std::variant_size_v<Attributes> - 1; // the last is none

[[nodiscard]] inline OpKind kind_of(const Attributes& attributes) {
    return static_cast<OpKind>(attributes.index());
}

// The operator's WebNN name in snake_case; for the element-wise, pooling and reduction families the
// member's name: "add", "hard_swish", "reduce_mean", "conv2d".
[[nodiscard]] std::string_view name_of(const Attributes& attributes);

// The attributes as text, defaults left out: "strides=[2,2] groups=24".
[[nodiscard]] std::string describe(const Attributes& attributes);

// Shape inference and validation of any operator; errors do not yet carry the node's label.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Attributes& attributes, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
