// SPDX-License-Identifier: Apache-2.0
// Reading a convolution node.
#include "core/cpu/conv_shape.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/base/checked_math.h"
#include "core/cpu/lowerings.h"
#include "core/ops/attributes.h"

namespace sluice::cpu {

namespace {

// What both operators call by the same names; no residual.
template <typename Op>
ConvShape sizes_of(const graph::Graph& graph, const graph::Node& node, const Op& op) {
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const ops::FilterDims filter =
        ops::filter_dims(graph.desc(node.inputs[1]).shape(), op.filter_layout);
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
        .residual_channels = 0,
        .activation = to_cpu(op.activation),
    };
}

template <typename Op>
ConvConstants constants_of(const graph::Graph& graph, const graph::Node& node, const Op& op) {
    const auto strides = graph::strides_of(graph.desc(node.inputs[1]).shape());
    const ops::FilterAxes axes = ops::filter_axes(op.filter_layout);
    std::unique_ptr<float[]> own;
    const std::span<const float> filter = constant_view(graph, node.inputs[1], own);
    return {
        .own = std::move(own),
        .filter = filter,
        .bias = op.has_bias ? constant_floats(graph, node.inputs[2]) : std::vector<float>{},
        .stride_o = strides[axes.output_channel],
        .stride_y = strides[axes.height],
        .stride_x = strides[axes.width],
        .stride_i = strides[axes.input_channel],
    };
}

template <typename Op>
Status require(const graph::Graph& graph, const graph::Node& node, const Op& op) {
    SLUICE_TRY(require_float32(graph, node));
    if (op.input_layout != ops::InputLayout::Nhwc) {
        return fail(ErrorCode::Unsupported, "input layout is not NHWC");
    }
    if (!has_kernel(op.activation.kind)) {
        return fail(ErrorCode::Unsupported, "no fused {}", ops::name(op.activation.kind));
    }
    SLUICE_TRY(require_constant(graph, node.inputs[1], "filter"));
    if (op.has_bias) {
        SLUICE_TRY(require_constant(graph, node.inputs[2], "bias"));
    }
    return {};
}

} // namespace

ConvShape conv_shape(const graph::Graph& graph, const graph::Node& node, const ops::Conv2d& op) {
    ConvShape shape = sizes_of(graph, node, op);
    if (op.has_residual) {
        shape.residual_channels = graph.desc(node.inputs.back()).shape()[3];
    }
    return shape;
}

ConvShape conv_shape(const graph::Graph& graph, const graph::Node& node,
                     const ops::ConvTranspose2d& op) {
    return sizes_of(graph, node, op);
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

std::span<const float> constant_view(const graph::Graph& graph, graph::OperandId id,
                                     std::unique_ptr<float[]>& own) {
    const graph::Operand& operand = graph.operand(id);
    const std::size_t count = operand.desc.element_count();
    const std::byte* const bytes = operand.data.bytes.data();
    if (reinterpret_cast<std::uintptr_t>(bytes) % alignof(float) == 0) {
        return {reinterpret_cast<const float*>(bytes), count};
    }
    own = std::make_unique_for_overwrite<float[]>(count);
    std::memcpy(own.get(), bytes, count * sizeof(float));
    return {own.get(), count};
}

ConvConstants conv_constants(const graph::Graph& graph, const graph::Node& node,
                             const ops::Conv2d& op) {
    return constants_of(graph, node, op);
}

ConvConstants conv_constants(const graph::Graph& graph, const graph::Node& node,
                             const ops::ConvTranspose2d& op) {
    return constants_of(graph, node, op);
}

Status require_conv(const graph::Graph& graph, const graph::Node& node, const ops::Conv2d& op) {
    return require(graph, node, op);
}

Status require_conv(const graph::Graph& graph, const graph::Node& node,
                    const ops::ConvTranspose2d& op) {
    return require(graph, node, op);
}

Status require_constant(const graph::Graph& graph, graph::OperandId id, std::string_view role) {
    if (graph.operand(id).kind != graph::OperandKind::Constant) {
        return fail(ErrorCode::Unsupported, "the {} is not a constant", role);
    }
    return {};
}

} // namespace sluice::cpu
