// SPDX-License-Identifier: Apache-2.0
// The layers, and their table in the order of their names. To add one, write its function and a
// row.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/binary.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "core/ops/pad.h"
#include "core/ops/pool2d.h"
#include "core/ops/reduce.h"
#include "core/ops/slice.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tensorflow/resize.h"
#include "models/loaders/tensorflow/shape.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/layer.h"

namespace sluice::models::tfjs {

using graph::OperandId;
using graph::Shape;
using tensorflow::Sliding;

namespace {

// --- Convolutions and products ---

Status require_channels_last(const Layer& layer) {
    const std::string format = layer.text("data_format", "channels_last");
    if (format != "channels_last") {
        return fail(ErrorCode::Unsupported, "the data format '{}'", clean_text(format));
    }
    return {};
}

Result<Sliding> sliding_of(const Layer& layer, std::int64_t stride) {
    SLUICE_TRY(require_channels_last(layer));
    Sliding sliding;
    SLUICE_TRY_ASSIGN(sliding.strides, layer.pair("strides", stride));
    SLUICE_TRY_ASSIGN(sliding.dilations, layer.pair("dilation_rate", 1));
    const std::string padding = layer.text("padding", "valid");
    if (padding != "same" && padding != "valid") {
        return fail(ErrorCode::Unsupported, "padding '{}'", clean_text(padding));
    }
    sliding.padding = padding == "same" ? tensorflow::Padding::Same : tensorflow::Padding::Valid;
    return sliding;
}

Result<OperandId> conv_2d(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId filter, layer.weight("kernel"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("use_bias", "bias"));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(layer, 1));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      tensorflow::convolve(layer, {.x = x, .filter = filter, .bias = bias},
                                           ops::Conv2dFilterLayout::Hwio, sliding));
    return layer.activate(y, layer.text("activation", ""));
}

// The depthwise half of a layer; its filter is [height, width, in, multiplier].
Result<OperandId> depthwise(Layer& layer, std::optional<OperandId> bias) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId filter, layer.weight("depthwise_kernel"));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(layer, 1));
    const Shape shape = layer.shape(filter);
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "a filter of {} dimensions", shape.rank());
    }
    SLUICE_TRY_ASSIGN(const OperandId flat,
                      layer.build().reshape(filter,
                                            Shape{shape[0], shape[1], 1, shape[2] * shape[3]},
                                            layer.label()));
    return tensorflow::convolve_depthwise(layer, {.x = x, .filter = flat, .bias = bias},
                                          ops::Conv2dFilterLayout::Hwio, sliding);
}

Result<OperandId> depthwise_conv_2d(Layer& layer) {
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("use_bias", "bias"));
    SLUICE_TRY_ASSIGN(const OperandId y, depthwise(layer, bias));
    return layer.activate(y, layer.text("activation", ""));
}

Result<OperandId> separable_conv_2d(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, depthwise(layer, std::nullopt));
    SLUICE_TRY_ASSIGN(const OperandId filter, layer.weight("pointwise_kernel"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("use_bias", "bias"));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      tensorflow::convolve(layer, {.x = x, .filter = filter, .bias = bias},
                                           ops::Conv2dFilterLayout::Hwio, {}));
    return layer.activate(y, layer.text("activation", ""));
}

Result<OperandId> conv_2d_transpose(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId filter, layer.weight("kernel"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("use_bias", "bias"));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(layer, 1));
    const Shape shape = layer.shape(x);
    const Shape filter_shape = layer.shape(filter); // [height, width, out, in]
    if (shape.rank() != 4 || filter_shape.rank() != 4) {
        return fail(ErrorCode::Parse, "input {} and filter {} must have four dimensions",
                    graph::to_string(shape), graph::to_string(filter_shape));
    }
    std::array<std::uint32_t, 2> sizes{};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::int64_t stride = sliding.strides[i];
        const std::int64_t overhang =
            sliding.padding == tensorflow::Padding::Valid
                ? std::max<std::int64_t>(std::int64_t{filter_shape[i]} - stride, 0)
                : 0;
        if (stride > 0x7FFFFFFF) {
            return fail(ErrorCode::Parse, "a stride of {}", stride);
        }
        SLUICE_TRY_ASSIGN(
            sizes[i],
            tensorflow::positive(std::int64_t{shape[1 + i]} * stride + overhang, "output size"));
    }
    SLUICE_TRY_ASSIGN(
        const OperandId y,
        tensorflow::convolve_transposed(layer, {.x = x, .filter = filter, .bias = bias},
                                        ops::ConvTranspose2dFilterLayout::Hwoi, sliding, sizes));
    return layer.activate(y, layer.text("activation", ""));
}

Result<OperandId> dense(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId kernel, layer.weight("kernel"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("use_bias", "bias"));
    SLUICE_TRY_ASSIGN(OperandId y, layer.build().matmul(x, kernel, layer.label()));
    if (bias) {
        SLUICE_TRY_ASSIGN(y, layer.build().add(y, *bias, layer.label()));
    }
    return layer.activate(y, layer.text("activation", ""));
}

// --- Pooling and resizing ---

Result<OperandId> pool(Layer& layer, ops::PoolKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto window, layer.pair("pool_size", 2));
    SLUICE_TRY_ASSIGN(Sliding sliding, sliding_of(layer, 0));
    if (sliding.strides[0] == 0) { // not given: as wide as the window
        sliding.strides = window;
    }
    return tensorflow::pool(layer, x, kind, window, sliding);
}

Result<OperandId> average_pooling_2d(Layer& layer) {
    return pool(layer, ops::PoolKind::Average);
}

Result<OperandId> max_pooling_2d(Layer& layer) {
    return pool(layer, ops::PoolKind::Max);
}

Result<OperandId> global_pool(Layer& layer, ops::ReduceKind kind) {
    SLUICE_TRY(require_channels_last(layer));
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    const std::array<std::int64_t, 2> axes{1, 2};
    return tensorflow::reduce(layer, kind, x, axes, layer.flag("keepdims", false));
}

Result<OperandId> global_average_pooling_2d(Layer& layer) {
    return global_pool(layer, ops::ReduceKind::Mean);
}

Result<OperandId> global_max_pooling_2d(Layer& layer) {
    return global_pool(layer, ops::ReduceKind::Max);
}

// TensorFlow.js enlarges without half-pixel centres, other than Keras itself.
Result<OperandId> up_sampling_2d(Layer& layer) {
    SLUICE_TRY(require_channels_last(layer));
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto size, layer.pair("size", 2));
    const Shape shape = layer.shape(x);
    if (shape.rank() != 4 || size[0] < 1 || size[1] < 1 || size[0] > 4096 || size[1] > 4096) {
        return fail(ErrorCode::Parse, "{} enlarged {} by {} times", graph::to_string(shape),
                    size[0], size[1]);
    }
    const std::array<std::int64_t, 2> sizes{shape[1] * size[0], shape[2] * size[1]};
    const std::string mode = layer.text("interpolation", "nearest");
    if (mode == "nearest") {
        return tensorflow::resize_nearest_neighbor(layer, x, sizes, {});
    }
    if (mode == "bilinear") {
        return tensorflow::resize_bilinear(layer, x, sizes, {});
    }
    return fail(ErrorCode::Unsupported, "the interpolation '{}'", clean_text(mode));
}

// --- Functions ---

Result<OperandId> activation(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    return layer.activate(x, layer.text("activation", ""));
}

Result<OperandId> elu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double alpha, layer.real("alpha", 1.0));
    return layer.build().unary({.kind = ops::UnaryKind::Elu, .alpha = alpha}, x, layer.label());
}

Result<OperandId> leaky_relu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double alpha, layer.real("alpha", 0.3));
    return layer.build().unary({.kind = ops::UnaryKind::LeakyRelu, .alpha = alpha}, x,
                               layer.label());
}

Result<OperandId> prelu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId slope, layer.weight("alpha"));
    return layer.build().prelu(x, slope, layer.label());
}

Result<OperandId> relu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double limit, layer.real("max_value", 0.0));
    SLUICE_TRY_ASSIGN(const double slope, layer.real("negative_slope", 0.0));
    SLUICE_TRY_ASSIGN(const double threshold, layer.real("threshold", 0.0));
    if (slope != 0.0 || threshold != 0.0) {
        return fail(ErrorCode::Unsupported, "a slope of {} below {}", slope, threshold);
    }
    return limit > 0.0 ? tensorflow::clamp(layer, x, 0.0, limit)
                       : layer.build().relu(x, layer.label());
}

Result<OperandId> softmax(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const std::int64_t along, layer.integer("axis", -1));
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(along, layer.shape(x).rank()));
    return layer.build().softmax(x, axis, layer.label());
}

Result<OperandId> batch_normalization(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto axes, layer.integers("axis"));
    SLUICE_TRY_ASSIGN(const auto axis,
                      tensorflow::axis_of(axes.size() == 1 ? axes[0] : -1, layer.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const double epsilon, layer.real("epsilon", 1e-3));
    SLUICE_TRY_ASSIGN(const auto scale, layer.weight_if("scale", "gamma"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("center", "beta"));
    SLUICE_TRY_ASSIGN(const OperandId mean, layer.weight("moving_mean"));
    SLUICE_TRY_ASSIGN(const OperandId variance, layer.weight("moving_variance"));
    return layer.build().batch_normalization(x, mean, variance, {.axis = axis, .epsilon = epsilon},
                                             {.scale = scale, .bias = bias}, layer.label());
}

Result<OperandId> rescaling(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double scale, layer.real("scale", 1.0));
    SLUICE_TRY_ASSIGN(const double offset, layer.real("offset", 0.0));
    return layer.build().unary({.kind = ops::UnaryKind::Linear, .alpha = scale, .beta = offset}, x,
                               layer.label());
}

// Dropout and its kin do nothing but in training.
Result<OperandId> identity(Layer& layer) {
    return layer.input();
}

// --- Several inputs ---

template <ops::BinaryKind kKind>
Result<OperandId> merge(Layer& layer) {
    SLUICE_TRY_ASSIGN(OperandId result, layer.input());
    for (std::size_t i = 1; i < layer.inputs().size(); ++i) {
        SLUICE_TRY_ASSIGN(result,
                          layer.build().binary(kKind, result, layer.inputs()[i], layer.label()));
    }
    return result;
}

Result<OperandId> average(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId sum, merge<ops::BinaryKind::Add>(layer));
    SLUICE_TRY_ASSIGN(const OperandId count,
                      layer.number(sum, static_cast<double>(layer.inputs().size())));
    return layer.build().div(sum, count, layer.label());
}

Result<OperandId> concatenate(Layer& layer) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, layer.integer("axis", -1));
    return tensorflow::concat(layer, layer.inputs(), axis);
}

// --- Moves ---

Result<OperandId> flatten(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    const std::array<std::int64_t, 2> shape{
        layer.shape(x).rank() == 0 ? 1 : std::int64_t{layer.shape(x)[0]}, -1};
    return tensorflow::reshape(layer, x, shape);
}

Result<OperandId> reshape(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(auto shape, layer.integers("target_shape"));
    shape.insert(shape.begin(), layer.shape(x).rank() == 0 ? 1 : std::int64_t{layer.shape(x)[0]});
    return tensorflow::reshape(layer, x, shape);
}

// Axes count from 1, the batch being left out.
Result<OperandId> permute(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(auto order, layer.integers("dims"));
    order.insert(order.begin(), 0);
    return tensorflow::transpose(layer, x, order);
}

Result<OperandId> zero_padding_2d(Layer& layer) {
    SLUICE_TRY(require_channels_last(layer));
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto a, layer.amounts("padding"));
    const std::array<std::int64_t, 8> pairs{0, 0, a[0], a[1], a[2], a[3], 0, 0};
    SLUICE_TRY_ASSIGN(ops::Pad pad, tensorflow::padding_amounts(layer, x, pairs));
    return layer.build().pad(x, std::move(pad), layer.label());
}

Result<OperandId> cropping_2d(Layer& layer) {
    SLUICE_TRY(require_channels_last(layer));
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto a, layer.amounts("cropping"));
    const Shape shape = layer.shape(x);
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    const std::array<std::int64_t, 4> begin{0, a[0], a[2], 0};
    const std::array<std::int64_t, 4> size{shape[0], shape[1] - a[0] - a[1], shape[2] - a[2] - a[3],
                                           shape[3]};
    return tensorflow::slice(layer, x, begin, size);
}

// --- Layers that models bring along: those of UpscalerJS's ESRGAN networks ---

Result<OperandId> multiply_beta(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double beta, layer.real("beta", 0.2));
    return layer.build().unary({.kind = ops::UnaryKind::Linear, .alpha = beta, .beta = 0.0}, x,
                               layer.label());
}

template <std::int64_t kScale>
Result<OperandId> pixel_shuffle(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const std::int64_t scale, layer.integer("scale", kScale));
    return tensorflow::depth_to_space(layer, x, scale);
}

struct LayerRow {
    std::string_view class_name;
    LayerFunction function;
};

constexpr LayerRow kLayers[] = {
    {"Activation", activation},
    {"Add", merge<ops::BinaryKind::Add>},
    {"Average", average},
    {"AveragePooling2D", average_pooling_2d},
    {"BatchNormalization", batch_normalization},
    {"Concatenate", concatenate},
    {"Conv2D", conv_2d},
    {"Conv2DTranspose", conv_2d_transpose},
    {"Cropping2D", cropping_2d},
    {"Dense", dense},
    {"DepthwiseConv2D", depthwise_conv_2d},
    {"Dropout", identity},
    {"ELU", elu},
    {"Flatten", flatten},
    {"GaussianNoise", identity},
    {"GlobalAveragePooling2D", global_average_pooling_2d},
    {"GlobalMaxPooling2D", global_max_pooling_2d},
    {"LeakyReLU", leaky_relu},
    {"MaxPooling2D", max_pooling_2d},
    {"Maximum", merge<ops::BinaryKind::Max>},
    {"Minimum", merge<ops::BinaryKind::Min>},
    {"Multiply", merge<ops::BinaryKind::Mul>},
    {"MultiplyBeta", multiply_beta},
    {"PReLU", prelu},
    {"Permute", permute},
    {"PixelShuffle", pixel_shuffle<2>},
    {"PixelShuffle2x", pixel_shuffle<2>},
    {"PixelShuffle3x", pixel_shuffle<3>},
    {"PixelShuffle4x", pixel_shuffle<4>},
    {"PixelShuffle8x", pixel_shuffle<8>},
    {"ReLU", relu},
    {"Rescaling", rescaling},
    {"Reshape", reshape},
    {"SeparableConv2D", separable_conv_2d},
    {"Softmax", softmax},
    {"SpatialDropout2D", identity},
    {"Subtract", merge<ops::BinaryKind::Sub>},
    {"UpSampling2D", up_sampling_2d},
    {"ZeroPadding2D", zero_padding_2d},
};

} // namespace

LayerFunction find_layer(std::string_view class_name) {
    const auto* row = std::ranges::find(kLayers, class_name, &LayerRow::class_name);
    return row == std::end(kLayers) ? nullptr : row->function;
}

} // namespace sluice::models::tfjs
