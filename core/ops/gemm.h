// SPDX-License-Identifier: Apache-2.0
// General matrix product alpha * A' * B' + beta * C (WebNN gemm).
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

struct Gemm {
    static constexpr std::string_view kName = "gemm";
    double alpha = 1.0;
    double beta = 1.0;
    bool a_transpose = false;
    bool b_transpose = false;
    bool has_c = false;
    Activation activation{}; // set by the fusion pass only
};

// Inputs: A [M,K], B [K,N], [C that broadcasts to [M,N]]. floats only.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Gemm& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Gemm& op);

} // namespace sluice::ops
