// SPDX-License-Identifier: Apache-2.0
// Integers to floats: (x - zero_point) * scale, block by block.
#include "core/ops/dequantize_linear.h"

#include "core/vulkan/any_type.h"
#include "core/vulkan/blocks.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {

Status supports_dequantize_linear(const Context& context, const graph::Graph& graph,
                                  const graph::Node& node) {
    return supports_any_type(context, graph, node.inputs[0]);
}

Status lower_dequantize_linear(StepWriter& writer, const graph::Node& node) {
    write_blocks(writer, node, Shader::DequantizeLinear,
                 writer.graph().desc(node.inputs[1]).type());
    return {};
}

} // namespace sluice::vulkan
