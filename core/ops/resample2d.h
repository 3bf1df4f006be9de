// SPDX-License-Identifier: Apache-2.0
// Resizing of two axes, half-pixel centres (WebNN resample2d).
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

enum class Interpolation : std::uint8_t { Nearest, Linear };

struct Resample2d {
    static constexpr std::string_view kName = "resample2d";
    Interpolation mode = Interpolation::Nearest;
    std::array<std::uint32_t, 2> axes{2, 3};
    std::array<std::uint32_t, 2> sizes{0, 0}; // target sizes of the axes; 0, 0: from scales
    std::array<float, 2> scales{1.0F, 1.0F};
};

// Inputs: x of rank 4, floats. Nearest samples at ceil(x - 0.5), as WebNN says.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Resample2d& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Resample2d& op);

} // namespace sluice::ops
