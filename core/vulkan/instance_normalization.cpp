// SPDX-License-Identifier: Apache-2.0
// Normalisation of every picture and channel by its own mean and variance.
#include "core/ops/instance_normalization.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/normalize.h"

namespace sluice::vulkan {

Status supports_instance_normalization(const Context& /*context*/, const graph::Graph& graph,
                                       const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_instance_normalization(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::InstanceNormalization>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    const std::size_t channel_axis = op.layout == ops::InputLayout::Nchw ? 1 : 3;
    Normalisation how{.groups = x,
                      .members = x,
                      .epsilon = op.epsilon,
                      .has_scale = op.has_scale,
                      .has_bias = op.has_bias};
    how.factor_strides[channel_axis] = 1;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const bool stays = axis == 0 || axis == channel_axis;
        (stays ? how.members : how.groups)[axis] = 1;
    }
    write_normalisation(writer, node, how);
    return {};
}

} // namespace sluice::vulkan
