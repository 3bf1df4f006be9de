// SPDX-License-Identifier: Apache-2.0
// Joins tensors along an axis: a strided copy per piece.
#include "core/ops/concat.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_concat(const Context& /*context*/, const graph::Graph& /*graph*/,
                       const graph::Node& /*node*/) {
    return {};
}

Status lower_concat(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::Concat>(node.attributes).axis;
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    const Strides strides = graph::strides_of(y.shape());
    std::size_t start = 0; // of the piece, along the axis
    for (const graph::OperandId id : node.inputs) {
        const graph::Shape& piece = writer.graph().desc(id).shape();
        write_copy(writer,
                   {.shape = piece,
                    .from_strides = graph::strides_of(piece),
                    .to_strides = strides,
                    .to_start = start * strides[axis],
                    .element_bytes = graph::size_of(y.type())},
                   writer.region(id), writer.region(node.outputs[0]));
        start += piece[axis];
    }
    return {};
}

} // namespace sluice::vulkan
