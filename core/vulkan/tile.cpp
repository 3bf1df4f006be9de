// SPDX-License-Identifier: Apache-2.0
// Copies of a tensor side by side: every repeated axis is walked as two.
#include "core/ops/tile.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

namespace {

// Element [copy, i] of every axis; axes that are not repeated stay one.
StridedCopy copy_of(const ops::Tile& op, const graph::TensorDesc& x, const graph::TensorDesc& y) {
    const Strides from = graph::strides_of(x.shape());
    const Strides to = graph::strides_of(y.shape());
    StridedCopy copy{.shape = {}, .element_bytes = graph::size_of(x.type())};
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        if (op.repetitions[axis] > 1) {
            copy.to_strides[copy.shape.rank()] = to[axis] * x.shape()[axis];
            copy.shape.push_back(op.repetitions[axis]);
        }
        if (x.shape()[axis] > 1) {
            copy.from_strides[copy.shape.rank()] = from[axis];
            copy.to_strides[copy.shape.rank()] = to[axis];
            copy.shape.push_back(x.shape()[axis]);
        }
    }
    return copy;
}

} // namespace

Status supports_tile(const Context& /*context*/, const graph::Graph& graph,
                     const graph::Node& node) {
    const auto& op = std::get<ops::Tile>(node.attributes);
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    std::size_t axes = 0;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        axes += (op.repetitions[axis] > 1 ? 1U : 0U) + (x[axis] > 1 ? 1U : 0U);
    }
    if (axes > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "{} axes to walk, {} at most", axes, graph::kMaxRank);
    }
    return {};
}

Status lower_tile(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Tile>(node.attributes);
    const graph::Graph& graph = writer.graph();
    write_copy(writer, copy_of(op, graph.desc(node.inputs[0]), graph.desc(node.outputs[0])),
               writer.region(node.inputs[0]), writer.region(node.outputs[0]));
    return {};
}

} // namespace sluice::vulkan
