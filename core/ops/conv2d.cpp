// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN conv2d, and the epilogue that fusion adds to it.
#include "core/ops/conv2d.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

// y = activation(conv + bias + residual): the residual may lack the last channels.
Status check_residual(const Conv2d& op, const graph::TensorDesc& residual,
                      const graph::TensorDesc& output) {
    SLUICE_TRY(rules::same_type(residual, "residual", output, "output"));
    SLUICE_TRY(rules::rank(residual, "residual", 4));
    const std::size_t channel_axis = op.input_layout == InputLayout::Nchw ? 1 : 3;
    for (std::size_t axis = 0; axis < 4; ++axis) {
        const std::uint32_t have = residual.shape()[axis];
        const std::uint32_t want = output.shape()[axis];
        if (axis == channel_axis ? have > want : have != want) {
            return fail(ErrorCode::InvalidArgument,
                        "residual {} does not fit the output {} on axis {}",
                        graph::to_string(residual.shape()), graph::to_string(output.shape()), axis);
        }
    }
    return {};
}

Status check_channels(const Conv2d& op, const FilterDims& filter, std::uint32_t channels) {
    if (op.groups == 0) {
        return fail(ErrorCode::InvalidArgument, "groups 0 must be at least 1");
    }
    if (channels % op.groups != 0) {
        return fail(ErrorCode::InvalidArgument, "groups {} does not divide {} input channels",
                    op.groups, channels);
    }
    if (filter.input_channels != channels / op.groups) {
        return fail(ErrorCode::InvalidArgument,
                    "filter has {} input channels where {} channels in {} groups need {}",
                    filter.input_channels, channels, op.groups, channels / op.groups);
    }
    // Not spelled out by WebNN, but without it a group would have a fraction of a filter.
    if (filter.output_channels % op.groups != 0) {
        return fail(ErrorCode::InvalidArgument, "groups {} does not divide {} output channels",
                    op.groups, filter.output_channels);
    }
    return {};
}

Result<graph::Shape> output_shape(const Conv2d& op, const graph::Shape& input,
                                  const FilterDims& filter) {
    const bool nchw = op.input_layout == InputLayout::Nchw;
    const std::size_t height_axis = nchw ? 2 : 1;
    SLUICE_TRY_ASSIGN(const std::uint32_t height, rules::positions({.input = input[height_axis],
                                                                    .window = filter.height,
                                                                    .pad_begin = op.padding[0],
                                                                    .pad_end = op.padding[1],
                                                                    .stride = op.strides[0],
                                                                    .dilation = op.dilations[0]},
                                                                   "height"));
    SLUICE_TRY_ASSIGN(const std::uint32_t width, rules::positions({.input = input[height_axis + 1],
                                                                   .window = filter.width,
                                                                   .pad_begin = op.padding[2],
                                                                   .pad_end = op.padding[3],
                                                                   .stride = op.strides[1],
                                                                   .dilation = op.dilations[1]},
                                                                  "width"));
    return nchw ? graph::Shape{input[0], filter.output_channels, height, width}
                : graph::Shape{input[0], height, width, filter.output_channels};
}

std::string_view name(Conv2dFilterLayout layout) {
    switch (layout) {
    case Conv2dFilterLayout::Oihw: return "oihw";
    case Conv2dFilterLayout::Hwio: return "hwio";
    case Conv2dFilterLayout::Ohwi: return "ohwi";
    case Conv2dFilterLayout::Ihwo: return "ihwo";
    }
    std::unreachable();
}

} // namespace

FilterAxes filter_axes(Conv2dFilterLayout layout) {
    switch (layout) {
    case Conv2dFilterLayout::Oihw:
        return {.output_channel = 0, .input_channel = 1, .height = 2, .width = 3};
    case Conv2dFilterLayout::Hwio:
        return {.output_channel = 3, .input_channel = 2, .height = 0, .width = 1};
    case Conv2dFilterLayout::Ohwi:
        return {.output_channel = 0, .input_channel = 3, .height = 1, .width = 2};
    case Conv2dFilterLayout::Ihwo:
        return {.output_channel = 3, .input_channel = 0, .height = 1, .width = 2};
    }
    std::unreachable();
}

Result<std::vector<graph::TensorDesc>> infer(const Conv2d& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 2U + (op.has_bias ? 1U : 0U) + (op.has_residual ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 4));
    SLUICE_TRY(rules::rank(inputs[1], "filter", 4));
    SLUICE_TRY(rules::same_type(inputs[1], "filter", input, "input"));
    SLUICE_TRY(rules::positive(op.strides, "strides"));
    SLUICE_TRY(rules::positive(op.dilations, "dilations"));
    const FilterDims filter = filter_dims(inputs[1].shape(), op.filter_layout);
    SLUICE_TRY(
        check_channels(op, filter, input.shape()[op.input_layout == InputLayout::Nchw ? 1 : 3]));
    if (op.has_bias) {
        SLUICE_TRY(rules::bias(inputs[2], input, filter.output_channels));
    }
    SLUICE_TRY_ASSIGN(const graph::Shape shape, output_shape(op, input.shape(), filter));
    SLUICE_TRY_ASSIGN(auto outputs, rules::output(input.type(), shape));
    if (op.has_residual) {
        SLUICE_TRY(check_residual(op, inputs.back(), outputs[0]));
    }
    return rules::with_epilogue(op.activation, std::move(outputs));
}

std::string describe(const Conv2d& op) {
    const Conv2d defaults;
    return AttributeText()
        .add("padding", op.padding, defaults.padding)
        .add("strides", op.strides, defaults.strides)
        .add("dilations", op.dilations, defaults.dilations)
        .add("groups", op.groups, defaults.groups)
        .flag("nhwc", op.input_layout == InputLayout::Nhwc)
        .add("filter", name(op.filter_layout), name(defaults.filter_layout))
        .flag("residual", op.has_residual)
        .activation(op.activation)
        .take();
}

} // namespace sluice::ops
