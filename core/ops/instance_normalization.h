// SPDX-License-Identifier: Apache-2.0
// Normalisation of every picture and channel by its own mean and variance (WebNN
// instanceNormalization).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"

namespace sluice::ops {

struct InstanceNormalization {
    static constexpr std::string_view kName = "instance_normalization";
    double epsilon = 1e-5;
    InputLayout layout = InputLayout::Nchw;
    bool has_scale = false;
    bool has_bias = false;
};

// Inputs: x of rank 4, [scale], [bias]; floats of one type, the latter of shape [channels].
// y = scale * (x - mean) / sqrt(variance + epsilon) + bias.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const InstanceNormalization& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const InstanceNormalization& op);

} // namespace sluice::ops
