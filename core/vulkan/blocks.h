// SPDX-License-Identifier: Apache-2.0
// Block-wise scales and zero points, as quantize_linear.comp and dequantize_linear.comp walk them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/graph/graph.h"
#include "core/vulkan/any_type.h"
#include "core/vulkan/steps.h"
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

// The dispatch of either: x, scale, zero point; `given` is the type beside x's that the kernel
// asks.
inline void write_blocks(StepWriter& writer, const graph::Node& node, Shader shader,
                         graph::DataType given) {
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const BlockPush push = blocks_of(x, writer.graph().desc(node.inputs[1]));
    writer.dispatch({.shader = shader,
                     .constants = {type_constant(x.type()), type_constant(given)},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
}

} // namespace sluice::vulkan
