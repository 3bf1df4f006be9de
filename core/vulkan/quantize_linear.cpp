// SPDX-License-Identifier: Apache-2.0
// Floats to integers: round(x / scale) + zero_point, saturated, block by block.
#include "core/ops/quantize_linear.h"

#include "core/vulkan/any_type.h"
#include "core/vulkan/blocks.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {

Status supports_quantize_linear(const Context& context, const graph::Graph& graph,
                                const graph::Node& node) {
    SLUICE_TRY(require_float(graph, node.inputs[0]));
    return supports_any_type(context, graph, node.outputs[0]);
}

Status lower_quantize_linear(StepWriter& writer, const graph::Node& node) {
    write_blocks(writer, node, Shader::QuantizeLinear, writer.graph().desc(node.outputs[0]).type());
    return {};
}

} // namespace sluice::vulkan
