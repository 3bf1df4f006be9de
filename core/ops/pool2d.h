// SPDX-License-Identifier: Apache-2.0
// Average, L2 and maximum pooling (WebNN pooling operators).
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

enum class PoolKind : std::uint8_t { Average, L2, Max };
enum class OutputRounding : std::uint8_t { Floor, Ceil };

[[nodiscard]] std::string_view name(PoolKind kind); // "average_pool2d"

struct Pool2d {
    static constexpr std::string_view kName = "pool2d";
    PoolKind kind = PoolKind::Average;
    std::array<std::uint32_t, 2> window{0, 0}; // height, width; 0, 0: the whole picture (global)
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0}; // top, bottom, left, right; never averaged
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 2> dilations{1, 1};
    InputLayout layout = InputLayout::Nchw;
    OutputRounding rounding = OutputRounding::Floor;
    std::array<std::uint32_t, 2> output_sizes{0, 0}; // overrides rounding when not 0, 0
};

// Inputs: x of rank 4.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Pool2d& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Pool2d& op);

} // namespace sluice::ops
