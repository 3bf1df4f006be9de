// SPDX-License-Identifier: Apache-2.0
// The order of elements turned round on some axes (WebNN reverse).
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

struct Reverse {
    static constexpr std::string_view kName = "reverse";
    std::vector<std::uint32_t> axes; // none: a copy
};

// Inputs: x.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Reverse& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Reverse& op);

} // namespace sluice::ops
