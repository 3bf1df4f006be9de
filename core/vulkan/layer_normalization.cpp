// SPDX-License-Identifier: Apache-2.0
// Normalisation over some axes by their own mean and variance.
#include "core/ops/layer_normalization.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/normalize.h"

namespace sluice::vulkan {

Status supports_layer_normalization(const Context& /*context*/, const graph::Graph& graph,
                                    const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_layer_normalization(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::LayerNormalization>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    Normalisation how{.groups = x,
                      .members = x,
                      .epsilon = op.epsilon,
                      .has_scale = op.has_scale,
                      .has_bias = op.has_bias};
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        how.members[axis] = 1;
    }
    graph::Shape factors; // the shape of scale and bias: the axes in the order given
    for (const std::uint32_t axis : op.axes) {
        how.members[axis] = x[axis];
        how.groups[axis] = 1;
        factors.push_back(x[axis]);
    }
    const Strides dense = graph::strides_of(factors);
    for (std::size_t i = 0; i < op.axes.size(); ++i) {
        how.factor_strides[op.axes[i]] = dense[i];
    }
    write_normalisation(writer, node, how);
    return {};
}

} // namespace sluice::vulkan
