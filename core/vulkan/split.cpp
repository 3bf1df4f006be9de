// SPDX-License-Identifier: Apache-2.0
// Cuts an axis into pieces: a strided copy per piece.
#include "core/ops/split.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_split(const Context& /*context*/, const graph::Graph& /*graph*/,
                      const graph::Node& /*node*/) {
    return {};
}

Status lower_split(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::Split>(node.attributes).axis;
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const Strides strides = graph::strides_of(x.shape());
    std::size_t start = 0; // of the piece, along the axis
    for (const graph::OperandId id : node.outputs) {
        const graph::Shape& piece = writer.graph().desc(id).shape();
        write_copy(writer,
                   {.shape = piece,
                    .from_strides = strides,
                    .to_strides = graph::strides_of(piece),
                    .from_start = start * strides[axis],
                    .element_bytes = graph::size_of(x.type())},
                   writer.region(node.inputs[0]), writer.region(id));
        start += piece[axis];
    }
    return {};
}

} // namespace sluice::vulkan
