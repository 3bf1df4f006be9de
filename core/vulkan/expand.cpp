// SPDX-License-Identifier: Apache-2.0
// Broadcast to a larger shape.
#include "core/ops/expand.h"

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_expand(const Context& /*context*/, const graph::Graph& /*graph*/,
                       const graph::Node& /*node*/) {
    return {};
}

Status lower_expand(StepWriter& writer, const graph::Node& node) {
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    write_copy(writer,
               {.shape = y.shape(),
                .from_strides = broadcast_strides(x.shape(), y.shape()),
                .to_strides = graph::strides_of(y.shape()),
                .element_bytes = graph::size_of(x.type())},
               writer.region(node.inputs[0]), writer.region(node.outputs[0]));
    return {};
}

} // namespace sluice::vulkan
