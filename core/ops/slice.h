// SPDX-License-Identifier: Apache-2.0
// A strided window of every axis (WebNN slice).
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

struct Slice {
    static constexpr std::string_view kName = "slice";
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> sizes;   // in elements of the input, before the stride
    std::vector<std::uint32_t> strides; // empty: all 1
};

// Inputs: x. Output dimension: ceil(size / stride).
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Slice& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Slice& op);

} // namespace sluice::ops
