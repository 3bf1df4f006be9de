// SPDX-License-Identifier: Apache-2.0
// A strided window of every axis.
#include "core/ops/slice.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_slice(const Context& /*context*/, const graph::Graph& /*graph*/,
                      const graph::Node& /*node*/) {
    return {};
}

Status lower_slice(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Slice>(node.attributes);
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    const Strides dense = graph::strides_of(x.shape());
    StridedCopy copy{.shape = y.shape(),
                     .to_strides = graph::strides_of(y.shape()),
                     .element_bytes = graph::size_of(x.type())};
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        copy.from_start += op.starts[axis] * dense[axis];
        copy.from_strides[axis] = dense[axis] * (op.strides.empty() ? 1 : op.strides[axis]);
    }
    write_copy(writer, copy, writer.region(node.inputs[0]), writer.region(node.outputs[0]));
    return {};
}

} // namespace sluice::vulkan
