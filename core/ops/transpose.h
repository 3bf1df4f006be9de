// SPDX-License-Identifier: Apache-2.0
// Permutation of the axes (WebNN transpose).
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

struct Transpose {
    static constexpr std::string_view kName = "transpose";
    std::vector<std::uint32_t> permutation; // output axis i is input axis permutation[i]
};

// Inputs: x. The builder turns an absent permutation into the reversal.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Transpose& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Transpose& op);

} // namespace sluice::ops
