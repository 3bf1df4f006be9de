// SPDX-License-Identifier: Apache-2.0
// Layers that move elements: joining, reshaping, padding, cutting off.
#include <array>
#include <cstdint>
#include <utility>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/pad.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tensorflow/shape.h"
#include "models/loaders/tfjs/layer.h"
#include "models/loaders/tfjs/layers.h"

namespace sluice::models::tfjs::layers {

using graph::OperandId;
using graph::Shape;

Result<OperandId> concatenate(Layer& layer) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, layer.integer("axis", -1));
    return tensorflow::concat(layer, layer.inputs(), axis);
}

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
    SLUICE_TRY(layer.require_channels_last());
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto a, layer.amounts("padding"));
    const std::array<std::int64_t, 8> pairs{0, 0, a[0], a[1], a[2], a[3], 0, 0};
    SLUICE_TRY_ASSIGN(ops::Pad pad, tensorflow::padding_amounts(layer, x, pairs));
    return layer.build().pad(x, std::move(pad), layer.label());
}

Result<OperandId> cropping_2d(Layer& layer) {
    SLUICE_TRY(layer.require_channels_last());
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

Result<OperandId> shuffle_pixels(Layer& layer, std::int64_t otherwise) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const std::int64_t scale, layer.integer("scale", otherwise));
    return tensorflow::depth_to_space(layer, x, scale);
}

} // namespace sluice::models::tfjs::layers
