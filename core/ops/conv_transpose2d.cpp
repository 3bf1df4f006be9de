// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN convTranspose2d.
#include "core/ops/conv_transpose2d.h"

#include "core/base/checked_math.h"
#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

// One spatial axis of the transposed window.
struct Along {
    std::uint32_t input;
    std::uint32_t window;
    std::uint32_t pad_begin;
    std::uint32_t pad_end;
    std::uint32_t stride;
    std::uint32_t dilation;
    std::uint32_t output_padding;
    std::uint32_t output_size; // 0: derived
};

// WebNN "calculate convtranspose output sizes": an explicit size stands for the output padding that
// leads to it.
Result<std::uint32_t> extent(const Along& along, std::string_view what) {
    const std::uint64_t full = (std::uint64_t{along.input} - 1) * along.stride +
                               rules::dilated(along.window, along.dilation);
    const std::uint64_t crop = std::uint64_t{along.pad_begin} + along.pad_end;
    if (along.output_size != 0) {
        const std::uint64_t end = std::uint64_t{along.output_size} + crop;
        if (end < full || end - full >= along.stride) {
            return fail(ErrorCode::InvalidArgument,
                        "output size {} of {} is not in the range {} to {}", along.output_size,
                        what, full > crop ? full - crop : 0, full + along.stride - 1 - crop);
        }
        return along.output_size;
    }
    if (along.output_padding >= along.stride) {
        return fail(ErrorCode::InvalidArgument, "output padding {} of {} is not below stride {}",
                    along.output_padding, what, along.stride);
    }
    const std::uint64_t padded = full + along.output_padding;
    if (padded <= crop) {
        return fail(ErrorCode::InvalidArgument, "padding {} of {} leaves nothing of {}", crop, what,
                    padded);
    }
    const auto out = checked_cast<std::uint32_t>(padded - crop);
    if (!out) {
        return fail(ErrorCode::InvalidArgument, "{} of the output, {}, is too large", what,
                    padded - crop);
    }
    return *out;
}

Result<std::uint32_t> output_channels(const ConvTranspose2d& op, const FilterDims& filter,
                                      std::uint32_t channels) {
    if (op.groups == 0) {
        return fail(ErrorCode::InvalidArgument, "groups 0 must be at least 1");
    }
    if (filter.input_channels != channels) {
        return fail(ErrorCode::InvalidArgument,
                    "filter has {} input channels where the input has {}", filter.input_channels,
                    channels);
    }
    // Not spelled out by WebNN, but without it a group would have a fraction of a channel.
    if (channels % op.groups != 0) {
        return fail(ErrorCode::InvalidArgument, "groups {} does not divide {} input channels",
                    op.groups, channels);
    }
    const auto out = checked_mul(filter.output_channels, op.groups);
    if (!out) {
        return fail(ErrorCode::InvalidArgument, "{} output channels in {} groups are too many",
                    filter.output_channels, op.groups);
    }
    return *out;
}

std::string_view name(ConvTranspose2dFilterLayout layout) {
    switch (layout) {
    case ConvTranspose2dFilterLayout::Iohw: return "iohw";
    case ConvTranspose2dFilterLayout::Hwoi: return "hwoi";
    case ConvTranspose2dFilterLayout::Ohwi: return "ohwi";
    }
    std::unreachable();
}

} // namespace

FilterAxes filter_axes(ConvTranspose2dFilterLayout layout) {
    switch (layout) {
    case ConvTranspose2dFilterLayout::Iohw:
        return {.output_channel = 1, .input_channel = 0, .height = 2, .width = 3};
    case ConvTranspose2dFilterLayout::Hwoi:
        return {.output_channel = 2, .input_channel = 3, .height = 0, .width = 1};
    case ConvTranspose2dFilterLayout::Ohwi:
        return {.output_channel = 0, .input_channel = 3, .height = 1, .width = 2};
    }
    std::unreachable();
}

Result<std::vector<graph::TensorDesc>> infer(const ConvTranspose2d& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = op.has_bias ? 3 : 2;
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 4));
    SLUICE_TRY(rules::rank(inputs[1], "filter", 4));
    SLUICE_TRY(rules::same_type(inputs[1], "filter", input, "input"));
    SLUICE_TRY(rules::positive(op.strides, "strides"));
    SLUICE_TRY(rules::positive(op.dilations, "dilations"));
    if ((op.output_sizes[0] == 0) != (op.output_sizes[1] == 0)) {
        return fail(ErrorCode::InvalidArgument, "output sizes [{},{}] must both be at least 1",
                    op.output_sizes[0], op.output_sizes[1]);
    }
    const bool nchw = op.input_layout == InputLayout::Nchw;
    const FilterDims filter = filter_dims(inputs[1].shape(), op.filter_layout);
    SLUICE_TRY_ASSIGN(const std::uint32_t channels,
                      output_channels(op, filter, input.shape()[nchw ? 1 : 3]));
    if (op.has_bias) {
        SLUICE_TRY(rules::bias(inputs[2], input, channels));
    }
    const std::size_t height_axis = nchw ? 2 : 1;
    const auto along = [&](std::size_t i, std::uint32_t window) {
        return Along{.input = input.shape()[height_axis + i],
                     .window = window,
                     .pad_begin = op.padding[2 * i],
                     .pad_end = op.padding[2 * i + 1],
                     .stride = op.strides[i],
                     .dilation = op.dilations[i],
                     .output_padding = op.output_padding[i],
                     .output_size = op.output_sizes[i]};
    };
    SLUICE_TRY_ASSIGN(const std::uint32_t height, extent(along(0, filter.height), "height"));
    SLUICE_TRY_ASSIGN(const std::uint32_t width, extent(along(1, filter.width), "width"));
    const graph::Shape shape = nchw ? graph::Shape{input.shape()[0], channels, height, width}
                                    : graph::Shape{input.shape()[0], height, width, channels};
    return rules::with_epilogue(op.activation, rules::output(input.type(), shape));
}

std::string describe(const ConvTranspose2d& op) {
    const ConvTranspose2d defaults;
    return AttributeText()
        .add("padding", op.padding, defaults.padding)
        .add("strides", op.strides, defaults.strides)
        .add("dilations", op.dilations, defaults.dilations)
        .add("output_padding", op.output_padding, defaults.output_padding)
        .add("output_sizes", op.output_sizes, defaults.output_sizes)
        .add("groups", op.groups, defaults.groups)
        .flag("nhwc", op.input_layout == InputLayout::Nhwc)
        .add("filter", name(op.filter_layout), name(defaults.filter_layout))
        .activation(op.activation)
        .take();
}

} // namespace sluice::ops
