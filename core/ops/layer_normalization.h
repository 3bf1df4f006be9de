// SPDX-License-Identifier: Apache-2.0
// Normalisation over some axes by their own mean and variance (WebNN layerNormalization).
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

struct LayerNormalization {
    static constexpr std::string_view kName = "layer_normalization";
    std::vector<std::uint32_t> axes;
    double epsilon = 1e-5;
    bool has_scale = false;
    bool has_bias = false;
};

// Inputs: x, [scale], [bias]; floats of one type. Dimension i of scale and bias is that of axes[i]
// of x; without axes they are scalars.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const LayerNormalization& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const LayerNormalization& op);

} // namespace sluice::ops
