// SPDX-License-Identifier: Apache-2.0
// Average, L2 and maximum pooling.
#include "core/ops/pool2d.h"

#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "core/vulkan/convolution.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_pool2d(const Context& /*context*/, const graph::Graph& graph,
                       const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

namespace {

// The reduction that pooling of whole pictures is, where a workgroup for every channel keeps the
// device busier than an invocation for every channel.
std::optional<ops::Reduce> as_reduction(const Context& context, const ops::Pool2d& op,
                                        const PictureSize& in, const PictureSize& out,
                                        std::size_t results) {
    const std::size_t pixels = std::size_t{in.height} * in.width;
    const bool unpadded = op.padding == std::array<std::uint32_t, 4>{};
    const bool undilated = op.dilations == std::array{1U, 1U};
    const bool whole = (op.window[0] == 0 && op.window[1] == 0) ||
                       (op.window[0] == in.height && op.window[1] == in.width);
    if (!whole || !unpadded || !undilated || out.height != 1 || out.width != 1 ||
        pixels < 2 * std::size_t{context.tuning.line_invocations} || results >= pixels) {
        return std::nullopt;
    }
    ops::Reduce reduce;
    reduce.axes = op.layout == ops::InputLayout::Nchw ? std::vector{2U, 3U} : std::vector{1U, 2U};
    switch (op.kind) {
    case ops::PoolKind::Average: reduce.kind = ops::ReduceKind::Mean; break;
    case ops::PoolKind::L2: reduce.kind = ops::ReduceKind::L2; break;
    case ops::PoolKind::Max: reduce.kind = ops::ReduceKind::Max; break;
    }
    return reduce;
}

} // namespace

Status lower_pool2d(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Pool2d>(node.attributes);
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    const PictureSize in = picture_size(x.shape(), op.layout);
    const PictureSize out = picture_size(y.shape(), op.layout);
    if (const auto reduction = as_reduction(writer.context(), op, in, out, y.element_count())) {
        write_reduction(writer, *reduction, node.inputs[0], node.outputs[0]);
        return {};
    }
    const bool whole_picture = op.window[0] == 0 && op.window[1] == 0;
    struct {
        std::uint32_t count;
        std::uint32_t channels, in_height, in_width, out_height, out_width;
        std::uint32_t window_height, window_width;
        std::uint32_t stride_y, stride_x, dilation_y, dilation_x, top, left;
    } const push{.count = static_cast<std::uint32_t>(y.element_count()),
                 .channels = in.channels,
                 .in_height = in.height,
                 .in_width = in.width,
                 .out_height = out.height,
                 .out_width = out.width,
                 .window_height = whole_picture ? in.height : op.window[0],
                 .window_width = whole_picture ? in.width : op.window[1],
                 .stride_y = op.strides[0],
                 .stride_x = op.strides[1],
                 .dilation_y = op.dilations[0],
                 .dilation_x = op.dilations[1],
                 .top = op.padding[0],
                 .left = op.padding[2]};
    writer.dispatch({.shader = by_type(graph, node.inputs[0], Shader::Pool2d, Shader::Pool2dHalf),
                     .constants = {static_cast<std::uint32_t>(op.kind),
                                   std::uint32_t{op.layout == ops::InputLayout::Nchw}},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
