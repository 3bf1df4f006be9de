// SPDX-License-Identifier: Apache-2.0
// quantized_conv2d on the CPU: reading the node, and which kernel takes it.
#include "core/ops/quantized_conv2d.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "core/cpu/lowerings.h"
#include "core/cpu/quantized_weights.h"

namespace sluice::cpu {
namespace {

std::vector<std::int16_t> stored_bytes(const graph::Operand& operand) {
    std::vector<std::int16_t> values;
    values.reserve(operand.data.bytes.size());
    const bool is_signed = operand.desc.type() == graph::DataType::Int8;
    for (const std::byte byte : operand.data.bytes) {
        const auto bits = static_cast<std::uint8_t>(byte);
        values.push_back(is_signed ? std::int16_t{static_cast<std::int8_t>(bits)}
                                   : std::int16_t{bits});
    }
    return values;
}

ConvShape shape_of(const graph::Graph& graph, const graph::Node& node) {
    const ops::Conv2d conv = std::get<ops::QuantizedConv2d>(node.attributes).of_floats();
    return conv_shape(graph, node, conv); // which reads nothing but shapes
}

} // namespace

QuantizedEnd quantized_end(const ops::QuantizedResult& result, const ops::Activation& activation) {
    const Bounds bounds = bounds_of(to_cpu(activation));
    QuantizedEnd end{.type = result.type, .low = bounds.low, .high = bounds.high, .zero_point = 0};
    if (result.type == graph::DataType::Float32) {
        return end;
    }
    const bool is_signed = result.type == graph::DataType::Int8;
    end.zero_point = result.quantization.zero_point;
    const auto lowest = static_cast<float>((is_signed ? -128 : 0) - end.zero_point);
    const auto highest = static_cast<float>((is_signed ? 127 : 255) - end.zero_point);
    // Rounding keeps the order, so that bounds may come before it.
    end.low = std::clamp(bounds.low / result.quantization.scale, lowest, highest);
    end.high = std::clamp(bounds.high / result.quantization.scale, lowest, highest);
    return end;
}

bool QuantizedConstants::fits_int8() const {
    const std::size_t channels = shape.out_channels;
    for (std::size_t o = 0; o < channels; ++o) {
        for (std::size_t tap = 0; tap < shape.taps(); ++tap) {
            for (std::size_t i = 0; i < shape.group_in(); ++i) {
                const int w = at(o, tap / shape.kernel_width, tap % shape.kernel_width, i);
                if (w < -128 || w > 127) {
                    return false;
                }
            }
        }
    }
    return true;
}

QuantizedConstants quantized_constants(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::QuantizedConv2d>(node.attributes);
    QuantizedConstants data;
    data.shape = shape_of(graph, node);
    const graph::Operand& filter = graph.operand(node.inputs[1]);
    data.filter = stored_bytes(filter);
    data.filter_is_signed = filter.desc.type() == graph::DataType::Int8;
    const auto strides = graph::strides_of(filter.desc.shape());
    const ops::FilterAxes axes = ops::filter_axes(op.filter_layout);
    data.stride_o = strides[axes.output_channel];
    data.stride_i = strides[axes.input_channel];
    data.stride_y = strides[axes.height];
    data.stride_x = strides[axes.width];
    data.input_is_signed = graph.desc(node.inputs[0]).type() == graph::DataType::Int8;
    data.input_zero = op.input.zero_point;
    data.end = quantized_end(op.result, op.activation);

    const std::size_t channels = data.shape.out_channels;
    std::vector<float> scales = constant_floats(graph, node.inputs[2]);
    data.zero_points = stored_bytes(graph.operand(node.inputs[3]));
    scales.resize(channels, scales[0]);
    data.zero_points.resize(channels, data.zero_points[0]);
    std::vector<float> bias =
        op.has_bias ? constant_floats(graph, node.inputs[4]) : std::vector<float>(channels);
    const double step = op.result.type == graph::DataType::Float32
                            ? 1.0
                            : static_cast<double>(op.result.quantization.scale);
    for (std::size_t o = 0; o < channels; ++o) {
        data.multipliers.push_back(static_cast<float>(static_cast<double>(op.input.scale) *
                                                      static_cast<double>(scales[o]) / step));
        data.addends.push_back(static_cast<float>(static_cast<double>(bias[o]) / step));
    }
    return data;
}

Status supports_quantized_conv2d(const graph::Graph& graph, const graph::Node& node) {
    constexpr std::array<std::string_view, 5> kRoles{"input", "filter", "filter scale",
                                                     "filter zero point", "bias"};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        SLUICE_TRY(require_constant(graph, node.inputs[i], kRoles[i]));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_quantized_conv2d(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const QuantizedConstants data = quantized_constants(graph, node);
    const ConvShape& shape = data.shape;
    if (shape.groups == shape.in_channels && shape.out_channels == shape.in_channels &&
        shape.groups > 1) {
        return make_quantized_depthwise(data);
    }
    return make_quantized_dense(data);
}

} // namespace sluice::cpu
