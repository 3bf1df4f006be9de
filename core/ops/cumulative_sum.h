// SPDX-License-Identifier: Apache-2.0
// Running sums along an axis (WebNN cumulativeSum).
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

struct CumulativeSum {
    static constexpr std::string_view kName = "cumulative_sum";
    std::uint32_t axis = 0;
    bool exclusive = false; // an element is not part of its own sum
    bool reversed = false;  // from the end
};

// Inputs: x; floats or integers of 32 or 64 bits, which wrap.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const CumulativeSum& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const CumulativeSum& op);

} // namespace sluice::ops
