// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of the quantised convolution, which has conv2d's shapes.
#include "core/ops/quantized_conv2d.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

Result<graph::TensorDesc> as_floats(const graph::TensorDesc& desc) {
    return graph::TensorDesc::create(graph::DataType::Float32, desc.shape());
}

Status check_filter_quantization(std::span<const graph::TensorDesc> inputs,
                                 std::uint32_t channels) {
    const graph::TensorDesc& scale = inputs[2];
    const graph::TensorDesc& zero_point = inputs[3];
    if (scale.type() != graph::DataType::Float32 || zero_point.type() != inputs[1].type()) {
        return fail(ErrorCode::InvalidArgument,
                    "filter scale has type {} and zero point {}, needed are float32 and {}",
                    graph::name(scale.type()), graph::name(zero_point.type()),
                    graph::name(inputs[1].type()));
    }
    const graph::Shape& shape = scale.shape();
    if (zero_point.shape() != shape ||
        (shape != graph::Shape{1} && shape != graph::Shape{channels})) {
        return fail(ErrorCode::InvalidArgument,
                    "filter scale has shape {} and zero point {}, needed are [1] or [{}]",
                    graph::to_string(shape), graph::to_string(zero_point.shape()), channels);
    }
    return {};
}

} // namespace

Conv2d QuantizedConv2d::of_floats() const {
    Conv2d conv;
    conv.padding = padding;
    conv.strides = strides;
    conv.dilations = dilations;
    conv.groups = groups;
    conv.input_layout = InputLayout::Nhwc;
    conv.filter_layout = filter_layout;
    conv.has_bias = has_bias;
    return conv;
}

Result<std::vector<graph::TensorDesc>> infer(const QuantizedConv2d& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = op.has_bias ? 5 : 4;
    SLUICE_TRY(rules::count(inputs, operands, operands));
    SLUICE_TRY(rules::bytes(inputs[0], "input"));
    SLUICE_TRY(rules::bytes(inputs[1], "filter"));
    std::vector<graph::TensorDesc> floats;
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, as_floats(inputs[i]));
        floats.push_back(desc);
    }
    if (op.has_bias) {
        floats.push_back(inputs[4]);
    }
    SLUICE_TRY_ASSIGN(const auto outputs, infer(op.of_floats(), floats));
    const FilterDims filter = filter_dims(inputs[1].shape(), op.filter_layout);
    SLUICE_TRY(check_filter_quantization(inputs, filter.output_channels));
    if (std::uint64_t{filter.height} * filter.width * filter.input_channels >
        kMaxQuantizedProducts) {
        return fail(ErrorCode::InvalidArgument, "filter {} sums more than {} products",
                    graph::to_string(inputs[1].shape()), kMaxQuantizedProducts);
    }
    SLUICE_TRY(rules::quantized_result(op.result, op.activation));
    return rules::output(op.result.type, outputs[0].shape());
}

std::string describe(const QuantizedConv2d& op) {
    const QuantizedConv2d defaults;
    return AttributeText()
        .add("x_scale", op.input.scale)
        .add("x_zero_point", op.input.zero_point, 0)
        .activation(op.activation)
        .add("scale", op.result.quantization.scale, 1.0F)
        .add("zero_point", op.result.quantization.zero_point, 0)
        .flag(describe(op.of_floats()), true)
        .take();
}

} // namespace sluice::ops
