// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two operands with broadcasting.
#include "core/ops/binary.h"

#include <variant>

#include "core/vulkan/any_type.h"
#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

namespace {

// Integers have no activation.
void write_integers(StepWriter& writer, const graph::Node& node, const Walk<2>& walk) {
    const graph::Graph& graph = writer.graph();
    const Grid grid = grid_of(walk.shape[0], walk.shape[1], walk.outer(), writer.context().profile);
    struct {
        std::uint32_t outer;
        Words shape, left_strides, right_strides;
    } const push{.outer = walk.outer(),
                 .shape = walk.shape,
                 .left_strides = walk.strides[0],
                 .right_strides = walk.strides[1]};
    writer.dispatch({.shader = is_wide(graph, node.inputs[0]) ? Shader::BinaryIntegerWide
                                                              : Shader::BinaryInteger,
                     .constants = {grid.size[0], grid.size[1],
                                   function_constant(std::get<ops::Binary>(node.attributes).kind),
                                   type_constant(graph.desc(node.inputs[0]).type()),
                                   type_constant(graph.desc(node.outputs[0]).type())},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = grid.groups});
}

} // namespace

Status supports_binary(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Binary>(node.attributes);
    if (op.activation.kind != ops::UnaryKind::Identity) {
        return require_float(graph, node.inputs[0]);
    }
    return graph::is_float(graph.desc(node.inputs[0]).type())
               ? Status{}
               : supports_any_or_wide_type(context, graph, node.inputs[0]);
}

Status lower_binary(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Binary>(node.attributes);
    const graph::Graph& graph = writer.graph();
    const graph::OperandId a = node.inputs[0];
    const graph::OperandId b = node.inputs[1];
    const graph::Shape& shape = graph.desc(node.outputs[0]).shape();
    const auto walk =
        merge_axes(shape, std::array{broadcast_strides(graph.desc(a).shape(), shape),
                                     broadcast_strides(graph.desc(b).shape(), shape)});
    if (!graph::is_float(graph.desc(a).type())) {
        write_integers(writer, node, walk);
        return {};
    }
    const Grid grid = grid_of(walk.shape[0], walk.shape[1], walk.outer(), writer.context().profile);
    const ActivationWords words = to_words(op.activation);
    struct {
        std::uint32_t outer;
        float alpha, beta;
        Words shape, left_strides, right_strides;
    } const push{.outer = walk.outer(),
                 .alpha = words.alpha,
                 .beta = words.beta,
                 .shape = walk.shape,
                 .left_strides = walk.strides[0],
                 .right_strides = walk.strides[1]};
    const bool compare = graph.desc(node.outputs[0]).type() == graph::DataType::Uint8;
    writer.dispatch(
        {.shader = compare ? by_type(graph, a, Shader::BinaryCompare, Shader::BinaryCompareHalf)
                           : by_type(graph, a, Shader::Binary, Shader::BinaryHalf),
         .constants = {grid.size[0], grid.size[1], function_constant(op.kind), words.kind},
         .buffers = {{writer.region(a), Access::Read},
                     {writer.region(b), Access::Read},
                     {writer.region(node.outputs[0]), Access::Write}},
         .push = to_push(push),
         .groups = grid.groups});
    return {};
}

} // namespace sluice::vulkan
