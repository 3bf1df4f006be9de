// SPDX-License-Identifier: Apache-2.0
// An element-wise function of 8 bits as a table. None of WebNN's operators: what the quantization
// pass makes of functions between dequantizeLinear and quantizeLinear.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct Lookup {
    static constexpr std::string_view kName = "lookup";
};

// Inputs: x (int8 or uint8), table [256] of any type. Output: table[x] of the table's type, where
// the bits of an int8 are taken for a uint8: -1 finds the last entry.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Lookup& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
