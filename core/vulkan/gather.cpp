// SPDX-License-Identifier: Apache-2.0
// Slices of an axis picked by a tensor of indices.
#include "core/ops/gather.h"

#include <variant>

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {

Status supports_gather(const Context& /*context*/, const graph::Graph& /*graph*/,
                       const graph::Node& /*node*/) {
    return {};
}

Status lower_gather(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::Gather>(node.attributes).axis;
    const graph::TensorDesc& indices = writer.graph().desc(node.inputs[1]);
    write_gather(writer, node, axis, static_cast<std::uint32_t>(indices.element_count()), false);
    return {};
}

} // namespace sluice::vulkan
