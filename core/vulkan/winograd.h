// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions by Winograd's F(2,3): 16 products for four pixels where the direct form has 36.
#pragma once

#include <cstddef>
#include <vector>

#include "core/vulkan/convolution.h"

namespace sluice::vulkan {

// Whether the tuning table wants it for this one, its filter is a constant, and the device holds
// what lies between the steps.
[[nodiscard]] bool is_winograd(const Context& context, const graph::Graph& graph,
                               const Convolution& convolution);

// The filter as the products take it, in float32: [number][block][input channel][4], where the 16
// numbers are those of G g G' row by row.
[[nodiscard]] std::vector<float> winograd_filter(const graph::Graph& graph,
                                                 const Convolution& convolution);

// Patches of 2x2 output pixels.
[[nodiscard]] inline std::size_t winograd_patches(const Convolution& c) {
    return std::size_t{c.batches} * ((c.out.height + 1) / 2) * ((c.out.width + 1) / 2);
}

} // namespace sluice::vulkan
