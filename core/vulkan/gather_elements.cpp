// SPDX-License-Identifier: Apache-2.0
// One element of an axis for every index.
#include "core/ops/gather_elements.h"

#include <variant>

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {

Status supports_gather_elements(const Context& /*context*/, const graph::Graph& /*graph*/,
                                const graph::Node& /*node*/) {
    return {};
}

Status lower_gather_elements(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::GatherElements>(node.attributes).axis;
    const graph::TensorDesc& indices = writer.graph().desc(node.inputs[1]);
    write_gather(writer, node, axis, indices.shape()[axis], true);
    return {};
}

} // namespace sluice::vulkan
