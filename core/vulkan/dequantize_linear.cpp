// SPDX-License-Identifier: Apache-2.0
// Integers to floats: (x - zero_point) * scale, block by block.
#include "core/ops/dequantize_linear.h"

#include "core/vulkan/any_type.h"
#include "core/vulkan/blocks.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_dequantize_linear(const Context& context, const graph::Graph& graph,
                                  const graph::Node& node) {
    return supports_any_type(context, graph, node.inputs[0]);
}

Status lower_dequantize_linear(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& scale = graph.desc(node.inputs[1]);
    const BlockPush push = blocks_of(x, scale);
    writer.dispatch({.shader = Shader::DequantizeLinear,
                     .constants = {type_constant(x.type()), type_constant(scale.type())},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
