// SPDX-License-Identifier: Apache-2.0
// Block-wise scales and zero points, as quantize_linear.comp and dequantize_linear.comp walk them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/graph/tensor_desc.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

struct BlockPush {
    std::uint32_t count = 0;
    Words shape{1, 1, 1, 1, 1, 1, 1, 1}; // of x
    Words block{1, 1, 1, 1, 1, 1, 1, 1}; // elements of x that share a scale
    Words strides{};                     // of the scales
};

[[nodiscard]] inline BlockPush blocks_of(const graph::TensorDesc& x,
                                         const graph::TensorDesc& scale) {
    BlockPush push;
    push.count = static_cast<std::uint32_t>(x.element_count());
    const Strides dense = graph::strides_of(scale.shape());
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const std::size_t from_inside = x.rank() - 1 - axis;
        push.shape[from_inside] = x.shape()[axis];
        push.block[from_inside] = x.shape()[axis] / scale.shape()[axis];
        push.strides[from_inside] = static_cast<std::uint32_t>(dense[axis]);
    }
    return push;
}

} // namespace sluice::vulkan
