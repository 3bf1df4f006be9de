// SPDX-License-Identifier: Apache-2.0
// Chooses between two tensors by a condition, all broadcast.
#include "core/ops/where.h"

#include <algorithm>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

constexpr std::size_t kAxes = 6; // of where.comp

Walk<3> walk_of(const graph::Graph& graph, const graph::Node& node) {
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const auto strides = [&](std::size_t input) {
        return broadcast_strides(graph.desc(node.inputs[input]).shape(), y);
    };
    return merge_axes(y, std::array{strides(0), strides(1), strides(2)});
}

Shader where_shader(std::size_t element_bytes) {
    switch (element_bytes) {
    case 1: return Shader::Where8;
    case 2: return Shader::Where16;
    case 4: return Shader::Where32;
    default: return Shader::Where64;
    }
}

} // namespace

Status supports_where(const Context& /*context*/, const graph::Graph& graph,
                      const graph::Node& node) {
    const std::size_t rank = walk_of(graph, node).rank;
    if (rank > kAxes) {
        return fail(ErrorCode::Unsupported, "{} axes that cannot be merged, at most {}", rank,
                    kAxes);
    }
    return {};
}

Status lower_where(StepWriter& writer, const graph::Node& node) {
    const Walk<3> walk = walk_of(writer.graph(), node);
    const Grid grid = grid_of(walk.shape[0], walk.shape[1], walk.outer(), writer.context().profile);
    struct {
        std::uint32_t outer = 1;
        std::array<std::array<std::uint32_t, kAxes>, 4> shape_and_strides{};
    } push;
    push.outer = walk.outer();
    std::ranges::copy_n(walk.shape.begin(), kAxes, push.shape_and_strides[0].begin());
    for (std::size_t i = 0; i < 3; ++i) {
        std::ranges::copy_n(walk.strides[i].begin(), kAxes, push.shape_and_strides[i + 1].begin());
    }
    const graph::DataType type = writer.graph().desc(node.outputs[0]).type();
    writer.dispatch({.shader = where_shader(graph::size_of(type)),
                     .constants = {grid.size[0], grid.size[1]},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = grid.groups});
    return {};
}

} // namespace sluice::vulkan
