// SPDX-License-Identifier: Apache-2.0
// Conversion between data types (WebNN cast): floats to integers truncate and saturate, to float16
// rounds to even.
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

struct Cast {
    static constexpr std::string_view kName = "cast";
    graph::DataType to = graph::DataType::Float32;
};

// Inputs: x. Output: x's shape with type `to`.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Cast& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Cast& op);

} // namespace sluice::ops
