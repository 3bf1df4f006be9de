// SPDX-License-Identifier: Apache-2.0
// Reading a convolution node.
#include "core/cpu/conv_shape.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <variant>

#include "core/base/checked_math.h"

namespace sluice::cpu {

ConvShape conv_shape(const graph::Graph& graph, const graph::Node& node, const ops::Conv2d& op) {
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const ops::FilterDims filter =
        ops::filter_dims(graph.desc(node.inputs[1]).shape(), op.filter_layout);
    std::size_t residual_channels = 0;
    if (op.has_residual) {
        residual_channels = graph.desc(node.inputs.back()).shape()[3];
    }
    return {
        .batch = x[0],
        .in_height = x[1],
        .in_width = x[2],
        .in_channels = x[3],
        .out_height = y[1],
        .out_width = y[2],
        .out_channels = y[3],
        .kernel_height = filter.height,
        .kernel_width = filter.width,
        .stride_y = op.strides[0],
        .stride_x = op.strides[1],
        .dilation_y = op.dilations[0],
        .dilation_x = op.dilations[1],
        .pad_top = op.padding[0],
        .pad_left = op.padding[2],
        .groups = op.groups,
        .residual_channels = residual_channels,
        .activation = to_cpu(op.activation),
    };
}

TapRange valid_taps(std::size_t output, std::size_t stride, std::size_t pad, std::size_t dilation,
                    std::size_t taps, std::size_t input_size) {
    const std::size_t first = output * stride; // of tap 0, plus the padding
    const std::size_t begin = first >= pad ? 0 : div_ceil(pad - first, dilation);
    const std::size_t limit = input_size + pad;
    const std::size_t end = first >= limit ? 0 : div_ceil(limit - first, dilation);
    const std::size_t clipped = std::min(end, taps);
    return {.begin = std::min(begin, clipped), .end = clipped};
}

std::vector<float> constant_floats(const graph::Graph& graph, graph::OperandId id) {
    const graph::Operand& operand = graph.operand(id);
    std::vector<float> values(operand.desc.element_count());
    std::memcpy(values.data(), operand.data.bytes.data(), values.size() * sizeof(float));
    return values;
}

ConvConstants conv_constants(const graph::Graph& graph, const graph::Node& node,
                             const ops::Conv2d& op) {
    const auto strides = graph::strides_of(graph.desc(node.inputs[1]).shape());
    // Axes of o, h, w, i in each layout.
    std::array<std::size_t, 4> axes{};
    switch (op.filter_layout) {
    case ops::Conv2dFilterLayout::Oihw: axes = {0, 2, 3, 1}; break;
    case ops::Conv2dFilterLayout::Hwio: axes = {3, 0, 1, 2}; break;
    case ops::Conv2dFilterLayout::Ohwi: axes = {0, 1, 2, 3}; break;
    case ops::Conv2dFilterLayout::Ihwo: axes = {3, 1, 2, 0}; break;
    }
    return {
        .filter = constant_floats(graph, node.inputs[1]),
        .bias = op.has_bias ? constant_floats(graph, node.inputs[2]) : std::vector<float>{},
        .stride_o = strides[axes[0]],
        .stride_y = strides[axes[1]],
        .stride_x = strides[axes[2]],
        .stride_i = strides[axes[3]],
    };
}

Status require_constant(const graph::Graph& graph, graph::OperandId id, std::string_view role) {
    if (graph.operand(id).kind != graph::OperandKind::Constant) {
        return fail(ErrorCode::Unsupported, "the {} is not a constant", role);
    }
    return {};
}

} // namespace sluice::cpu
