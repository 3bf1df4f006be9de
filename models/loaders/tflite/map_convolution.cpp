// SPDX-License-Identifier: Apache-2.0
// Mappings of convolutions. Pictures are NHWC; filters are [out, height, width, in], and
// [1, height, width, out] for depthwise ones.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/sliding.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using graph::Shape;
using tensorflow::Picture;
using tensorflow::positive;
using tensorflow::Sliding;

namespace {

constexpr auto kTransposedLayout = ops::ConvTranspose2dFilterLayout::Ohwi;

// The operands at the given positions.
Result<Picture> picture_of(Operation& op, std::size_t x, std::size_t filter, std::size_t bias) {
    Picture out{};
    SLUICE_TRY_ASSIGN(out.x, op.input(x));
    SLUICE_TRY_ASSIGN(out.filter, op.input(filter));
    if (op.has_input(bias)) {
        SLUICE_TRY_ASSIGN(out.bias, op.input(bias));
    }
    return out;
}

template <typename Options>
Result<Sliding> dilated_sliding(const Options& options) {
    SLUICE_TRY_ASSIGN(Sliding sliding, sliding_of(options));
    sliding.dilations = {options.dilation_h_factor(), options.dilation_w_factor()};
    return sliding;
}

} // namespace

Result<Outputs> map_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::Conv2DOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 0, 1, 2));
    SLUICE_TRY_ASSIGN(const Sliding sliding, dilated_sliding(*options));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      tensorflow::convolve(op, picture, ops::Conv2dFilterLayout::Ohwi, sliding));
    return op.activate(y, options->fused_activation_function());
}

Result<Outputs> map_depthwise_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::DepthwiseConv2DOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 0, 1, 2));
    SLUICE_TRY_ASSIGN(const Sliding sliding, dilated_sliding(*options));
    SLUICE_TRY_ASSIGN(const OperandId y, tensorflow::convolve_depthwise(
                                             op, picture, ops::Conv2dFilterLayout::Ihwo, sliding));
    return op.activate(y, options->fused_activation_function());
}

Result<Outputs> map_transpose_conv(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::TransposeConvOptions>());
    SLUICE_TRY_ASSIGN(const Picture picture, picture_of(op, 2, 1, 3));
    SLUICE_TRY_ASSIGN(const auto output, op.integers(0));
    if (output.size() != 4) {
        return fail(ErrorCode::Parse, "an output shape of {} dimensions", output.size());
    }
    std::array<std::uint32_t, 2> sizes{};
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(*options));
    SLUICE_TRY_ASSIGN(sizes[0], positive(output[1], "output height"));
    SLUICE_TRY_ASSIGN(sizes[1], positive(output[2], "output width"));
    SLUICE_TRY_ASSIGN(const OperandId y, tensorflow::convolve_transposed(
                                             op, picture, kTransposedLayout, sliding, sizes));
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
    const Sliding sliding{.strides = {options[2], options[1]},
                          .padding = options[0] == 1 ? tensorflow::Padding::Same
                                                     : tensorflow::Padding::Valid};
    const Shape x = op.shape(picture.x);
    const Shape filter = op.shape(picture.filter);
    if (x.rank() != 4 || filter.rank() != 4) {
        return fail(ErrorCode::Parse, "input {} and filter {} must have four dimensions",
                    graph::to_string(x), graph::to_string(filter));
    }
    std::array<std::uint32_t, 2> sizes{};
    for (std::size_t i = 0; i < 2; ++i) {
        SLUICE_TRY_ASSIGN(const std::int64_t stride, positive(sliding.strides[i], "stride"));
        const std::int64_t kernel = filter[1 + i];
        const std::int64_t overhang =
            sliding.padding == tensorflow::Padding::Valid && kernel > stride ? kernel - stride : 0;
        SLUICE_TRY_ASSIGN(sizes[i],
                          positive(std::int64_t{x[1 + i]} * stride + overhang, "output size"));
    }
    return tensorflow::convolve_transposed(op, picture, kTransposedLayout, sliding, sizes);
}

} // namespace sluice::models::tflite
