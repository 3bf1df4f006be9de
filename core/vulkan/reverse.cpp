// SPDX-License-Identifier: Apache-2.0
// The order of elements turned round on some axes: a copy with strides that wrap.
#include "core/ops/reverse.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_reverse(const Context& /*context*/, const graph::Graph& /*graph*/,
                        const graph::Node& /*node*/) {
    return {};
}

Status lower_reverse(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Reverse>(node.attributes);
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const Strides dense = graph::strides_of(x.shape());
    StridedCopy copy{.shape = x.shape(),
                     .from_strides = dense,
                     .to_strides = dense,
                     .element_bytes = graph::size_of(x.type())};
    for (const std::uint32_t axis : op.axes) {
        copy.from_start += (x.shape()[axis] - 1) * dense[axis];
        copy.from_strides[axis] = 0 - dense[axis];
    }
    write_copy(writer, copy, writer.region(node.inputs[0]), writer.region(node.outputs[0]));
    return {};
}

} // namespace sluice::vulkan
