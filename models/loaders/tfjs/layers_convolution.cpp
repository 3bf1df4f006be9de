// SPDX-License-Identifier: Apache-2.0
// Layers of convolutions, products, pooling and resizing. Pictures are NHWC; filters are [height,
// width, in, out], and [height, width, in, multiplier] for depthwise ones.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "core/ops/pool2d.h"
#include "core/ops/reduce.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tensorflow/resize.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/layer.h"
#include "models/loaders/tfjs/layers.h"

namespace sluice::models::tfjs::layers {

using graph::OperandId;
using graph::Shape;
using tensorflow::Sliding;

namespace {

Result<Sliding> sliding_of(const Layer& layer, std::int64_t stride) {
    SLUICE_TRY(layer.require_channels_last());
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

Result<OperandId> pool(Layer& layer, ops::PoolKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto window, layer.pair("pool_size", 2));
    SLUICE_TRY_ASSIGN(Sliding sliding, sliding_of(layer, 0));
    if (sliding.strides[0] == 0) { // not given: as wide as the window
        sliding.strides = window;
    }
    return tensorflow::pool(layer, x, kind, window, sliding);
}

Result<OperandId> global_pool(Layer& layer, ops::ReduceKind kind) {
    SLUICE_TRY(layer.require_channels_last());
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    const std::array<std::int64_t, 2> axes{1, 2};
    return tensorflow::reduce(layer, kind, x, axes, layer.flag("keepdims", false));
}

} // namespace

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

Result<OperandId> average_pooling_2d(Layer& layer) {
    return pool(layer, ops::PoolKind::Average);
}

Result<OperandId> max_pooling_2d(Layer& layer) {
    return pool(layer, ops::PoolKind::Max);
}

Result<OperandId> global_average_pooling_2d(Layer& layer) {
    return global_pool(layer, ops::ReduceKind::Mean);
}

Result<OperandId> global_max_pooling_2d(Layer& layer) {
    return global_pool(layer, ops::ReduceKind::Max);
}

// TensorFlow.js enlarges without half-pixel centres, other than Keras itself.
Result<OperandId> up_sampling_2d(Layer& layer) {
    SLUICE_TRY(layer.require_channels_last());
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

} // namespace sluice::models::tfjs::layers
