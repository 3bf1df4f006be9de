// SPDX-License-Identifier: Apache-2.0
// Padding on every axis (WebNN pad).
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

enum class PaddingMode : std::uint8_t { Constant, Edge, Reflection };

struct Pad {
    static constexpr std::string_view kName = "pad";
    std::vector<std::uint32_t> beginning; // one per axis
    std::vector<std::uint32_t> ending;
    PaddingMode mode = PaddingMode::Constant;
    double value = 0.0; // for Constant
};

// Inputs: x.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Pad& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Pad& op);

} // namespace sluice::ops
