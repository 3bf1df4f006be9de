// SPDX-License-Identifier: Apache-2.0
// The same elements under another shape: the same memory where possible.
#include "core/ops/reshape.h"

#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {

Status supports_reshape(const Context& /*context*/, const graph::Graph& /*graph*/,
                        const graph::Node& /*node*/) {
    return {};
}

Status lower_reshape(StepWriter& writer, const graph::Node& node) {
    writer.alias(node.inputs[0], node.outputs[0]);
    return {};
}

} // namespace sluice::vulkan
