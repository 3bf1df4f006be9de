// SPDX-License-Identifier: Apache-2.0
// Mappings of convolutions. Pictures are NHWC; filters are [out, height, width, in], and
// [1, height, width, out] for depthwise ones.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"
#include "models/loaders/tflite/window.h"

namespace sluice::models::tflite {

using graph::OperandId;
using graph::Shape;

namespace {

struct Picture {
    OperandId x;
    OperandId filter;
    std::optional<OperandId> bias;
    Shape shape;        // of x
    Shape filter_shape; // of filter
};

// The operands at the given positions; x and filter have four dimensions.
Result<Picture> picture_of(Operation& op, std::size_t x, std::size_t filter, std::size_t bias) {
    Picture out{};
    SLUICE_TRY_ASSIGN(out.x, op.input(x));
    SLUICE_TRY_ASSIGN(out.filter, op.input(filter));
    if (op.has_input(bias)) {
        SLUICE_TRY_ASSIGN(out.bias, op.input(bias));
    }
    out.shape = op.shape(out.x);
    out.filter_shape = op.shape(out.filter);
    if (out.shape.rank() != 4 || out.filter_shape.rank() != 4) {
        return fail(ErrorCode::Parse, "input {} and filter {} must have four dimensions",
                    graph::to_string(out.shape), graph::to_string(out.filter_shape));
    }
    return out;
}

// Fills padding, strides and dilations of a convolution with these options.
template <typename Options>
Status set_window(ops::Conv2d& conv, const Options& options, const Picture& picture) {
    SLUICE_TRY_ASSIGN(conv.strides[0], positive(options.stride_h(), "stride"));
    SLUICE_TRY_ASSIGN(conv.strides[1], positive(options.stride_w(), "stride"));
    SLUICE_TRY_ASSIGN(conv.dilations[0], positive(options.dilation_h_factor(), "dilation"));
    SLUICE_TRY_ASSIGN(conv.dilations[1], positive(options.dilation_w_factor(), "dilation"));
    for (std::size_t i = 0; i < 2; ++i) {
        const Window window{.size = picture.filter_shape[1 + i],
                            .stride = conv.strides[i],
                            .dilation = conv.dilations[i]};
        SLUICE_TRY_ASSIGN(const auto pad,
                          padding_of(options.padding(), picture.shape[1 + i], window));
        conv.padding[2 * i] = pad[0];
        conv.padding[2 * i + 1] = pad[1];
    }
    return {};
}

// A transposed convolution with a result of `sizes`, padded like the convolution it mirrors.
Result<OperandId> transposed(Operation& op, const Picture& picture, schema::Padding padding,
                             std::array<std::uint32_t, 2> strides,
                             std::array<std::uint32_t, 2> sizes) {
    ops::ConvTranspose2d conv{.strides = strides,
                              .output_sizes = sizes,
                              .input_layout = ops::InputLayout::Nhwc,
                              .filter_layout = ops::ConvTranspose2dFilterLayout::Ohwi};
    for (std::size_t i = 0; i < 2; ++i) {
        const Window window{
            .size = picture.filter_shape[1 + i], .stride = strides[i], .dilation = 1};
        SLUICE_TRY_ASSIGN(const auto pad, padding_of(padding, sizes[i], window));
        conv.padding[2 * i] = pad[0];
        conv.padding[2 * i + 1] = pad[1];
    }
    return op.build().conv_transpose2d(picture.x, picture.filter, conv, picture.bias, op.label());
}

} // namespace

Result<Outputs> map_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::Conv2DOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 0, 1, 2));
    ops::Conv2d conv{.input_layout = ops::InputLayout::Nhwc,
                     .filter_layout = ops::Conv2dFilterLayout::Ohwi};
    SLUICE_TRY(set_window(conv, *options, picture));
    conv.groups = std::max(picture.shape[3] / picture.filter_shape[3], 1U);
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().conv2d(picture.x, picture.filter, conv, picture.bias, op.label()));
    return op.activate(y, options->fused_activation_function());
}

Result<Outputs> map_depthwise_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::DepthwiseConv2DOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 0, 1, 2));
    // A group an input channel; the multiplier follows from the number of filters.
    ops::Conv2d conv{.groups = picture.shape[3],
                     .input_layout = ops::InputLayout::Nhwc,
                     .filter_layout = ops::Conv2dFilterLayout::Ihwo};
    SLUICE_TRY(set_window(conv, *options, picture));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().conv2d(picture.x, picture.filter, conv, picture.bias, op.label()));
    return op.activate(y, options->fused_activation_function());
}

Result<Outputs> map_transpose_conv(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::TransposeConvOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 2, 1, 3));
    SLUICE_TRY_ASSIGN(const auto output, op.integers(0));
    if (output.size() != 4) {
        return fail(ErrorCode::Parse, "an output shape of {} dimensions", output.size());
    }
    std::array<std::uint32_t, 2> strides{};
    std::array<std::uint32_t, 2> sizes{};
    SLUICE_TRY_ASSIGN(strides[0], positive(options->stride_h(), "stride"));
    SLUICE_TRY_ASSIGN(strides[1], positive(options->stride_w(), "stride"));
    SLUICE_TRY_ASSIGN(sizes[0], positive(output[1], "output height"));
    SLUICE_TRY_ASSIGN(sizes[1], positive(output[2], "output width"));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      transposed(op, picture, options->padding(), strides, sizes));
    return op.activate(y, options->fused_activation_function());
}

// MediaPipe's operator: three int32 {padding: 1 SAME or 2 VALID, stride of width, of height}; the
// result is the input's size times the stride, plus the filter's overhang for VALID.
Result<Outputs> map_convolution_2d_transpose_bias(Operation& op) {
    std::array<std::int32_t, 3> options{};
    if (op.custom_options().size() < sizeof options) {
        return fail(ErrorCode::Parse, "{} bytes of options, {} are needed",
                    op.custom_options().size(), sizeof options);
    }
    std::memcpy(options.data(), op.custom_options().data(), sizeof options);
    if (options[0] != 1 && options[0] != 2) {
        return fail(ErrorCode::Unsupported, "padding {}", options[0]);
    }
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 0, 1, 2));
    const auto padding = options[0] == 1 ? schema::Padding::SAME : schema::Padding::VALID;
    std::array<std::uint32_t, 2> strides{};
    std::array<std::uint32_t, 2> sizes{};
    SLUICE_TRY_ASSIGN(strides[0], positive(options[2], "stride"));
    SLUICE_TRY_ASSIGN(strides[1], positive(options[1], "stride"));
    for (std::size_t i = 0; i < 2; ++i) {
        const std::uint32_t kernel = picture.filter_shape[1 + i];
        const std::int64_t overhang =
            padding == schema::Padding::VALID && kernel > strides[i] ? kernel - strides[i] : 0;
        SLUICE_TRY_ASSIGN(
            sizes[i],
            positive(std::int64_t{picture.shape[1 + i]} * strides[i] + overhang, "output size"));
    }
    return transposed(op, picture, padding, strides, sizes);
}

} // namespace sluice::models::tflite
