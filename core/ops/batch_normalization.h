// SPDX-License-Identifier: Apache-2.0
// Normalisation by given means and variances, one pair a channel (WebNN batchNormalization).
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

struct BatchNormalization {
    static constexpr std::string_view kName = "batch_normalization";
    std::uint32_t axis = 1; // of the channels
    double epsilon = 1e-5;
    bool has_scale = false;
    bool has_bias = false;
};

// Inputs: x, mean, variance, [scale], [bias]; floats of one type, all but x of shape [channels].
// y = scale * (x - mean) / sqrt(variance + epsilon) + bias.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const BatchNormalization& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const BatchNormalization& op);

} // namespace sluice::ops
