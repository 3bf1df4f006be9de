// SPDX-License-Identifier: Apache-2.0
// Batched matrix product with broadcast batch dimensions (WebNN matmul).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct Matmul {
    static constexpr std::string_view kName = "matmul";
};

// Inputs: A [...,M,K], B [...,K,N]. floats only.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Matmul& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
