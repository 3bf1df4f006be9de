// SPDX-License-Identifier: Apache-2.0
// Permutation of the axes.
#include "core/ops/transpose.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_transpose(const Context& /*context*/, const graph::Graph& /*graph*/,
                          const graph::Node& /*node*/) {
    return {};
}

Status lower_transpose(StepWriter& writer, const graph::Node& node) {
    const auto& permutation = std::get<ops::Transpose>(node.attributes).permutation;
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    const Strides dense = graph::strides_of(x.shape());
    StridedCopy copy{.shape = y.shape(),
                     .to_strides = graph::strides_of(y.shape()),
                     .element_bytes = graph::size_of(x.type())};
    for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
        copy.from_strides[axis] = dense[permutation[axis]];
    }
    write_copy(writer, copy, writer.region(node.inputs[0]), writer.region(node.outputs[0]));
    return {};
}

} // namespace sluice::vulkan
