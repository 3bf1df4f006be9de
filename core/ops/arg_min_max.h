// SPDX-License-Identifier: Apache-2.0
// Index of the smallest or largest element along an axis (WebNN argMin, argMax).
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

struct ArgMinMax {
    static constexpr std::string_view kName = "arg_min_max";
    bool is_max = true;
    std::uint32_t axis = 0;
    bool keep_dimensions = false;
    graph::DataType output_type = graph::DataType::Int32; // int32 or int64
};

// Inputs: x. The first of equal elements wins.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const ArgMinMax& op, std::span<const graph::TensorDesc> inputs);

// "arg_max" or "arg_min".
[[nodiscard]] std::string_view name(const ArgMinMax& op);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const ArgMinMax& op);

} // namespace sluice::ops
