// SPDX-License-Identifier: Apache-2.0
// Floats to integers: round(x / scale) + zero_point, saturated, block by block.
#include "core/ops/quantize_linear.h"

#include "core/vulkan/any_type.h"
#include "core/vulkan/blocks.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_quantize_linear(const Context& context, const graph::Graph& graph,
                                const graph::Node& node) {
    SLUICE_TRY(require_float(graph, node.inputs[0]));
    return supports_any_type(context, graph, node.outputs[0]);
}

Status lower_quantize_linear(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    const BlockPush push = blocks_of(x, graph.desc(node.inputs[1]));
    writer.dispatch({.shader = Shader::QuantizeLinear,
                     .constants = {type_constant(x.type()), type_constant(y.type())},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
