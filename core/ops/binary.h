// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two operands with broadcasting (WebNN element-wise binary and logical,
// prelu).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/unary.h"

namespace sluice::ops {

// One enumerator per row of binary.def.
enum class BinaryKind : std::uint8_t {
#define SLUICE_BINARY(name, Type, domain, expression, low, high) Type,
#include "core/ops/binary.def"
#undef SLUICE_BINARY
};

[[nodiscard]] std::string_view name(BinaryKind kind);

struct Binary {
    static constexpr std::string_view kName = "binary";
    BinaryKind kind = BinaryKind::Add;
    Activation activation{}; // applied to the result; set by the fusion pass only
};

// Inputs: a, b of one type. Output: the broadcast shape; uint8 for comparisons and logic. prelu: b
// is the slope, the types are signed ones, and the shapes broadcast both ways as in the others.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Binary& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Binary& op);

} // namespace sluice::ops
