// SPDX-License-Identifier: Apache-2.0
// The functions that layers.cpp's table points to: each turns one layer into builder calls.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/binary.h"
#include "models/loaders/tfjs/layer.h"

namespace sluice::models::tfjs::layers {

// layers_arithmetic.cpp
[[nodiscard]] Result<graph::OperandId> merge_inputs(Layer& layer, ops::BinaryKind kind);
template <ops::BinaryKind kKind>
[[nodiscard]] Result<graph::OperandId> merge(Layer& layer) {
    return merge_inputs(layer, kKind);
}
Result<graph::OperandId> activation(Layer& layer);
Result<graph::OperandId> average(Layer& layer);
Result<graph::OperandId> batch_normalization(Layer& layer);
Result<graph::OperandId> elu(Layer& layer);
// Of what does nothing but in training: dropout and its kin.
Result<graph::OperandId> identity(Layer& layer);
Result<graph::OperandId> leaky_relu(Layer& layer);
// Of UpscalerJS's ESRGAN networks, as pixel_shuffle is.
Result<graph::OperandId> multiply_beta(Layer& layer);
Result<graph::OperandId> prelu(Layer& layer);
Result<graph::OperandId> relu(Layer& layer);
Result<graph::OperandId> rescaling(Layer& layer);
Result<graph::OperandId> softmax(Layer& layer);

// layers_convolution.cpp
Result<graph::OperandId> average_pooling_2d(Layer& layer);
Result<graph::OperandId> conv_2d(Layer& layer);
Result<graph::OperandId> conv_2d_transpose(Layer& layer);
Result<graph::OperandId> dense(Layer& layer);
Result<graph::OperandId> depthwise_conv_2d(Layer& layer);
Result<graph::OperandId> global_average_pooling_2d(Layer& layer);
Result<graph::OperandId> global_max_pooling_2d(Layer& layer);
Result<graph::OperandId> max_pooling_2d(Layer& layer);
Result<graph::OperandId> separable_conv_2d(Layer& layer);
Result<graph::OperandId> up_sampling_2d(Layer& layer);

// layers_moves.cpp
// By the scale of its configuration, or by `otherwise`.
[[nodiscard]] Result<graph::OperandId> shuffle_pixels(Layer& layer, std::int64_t otherwise);
template <std::int64_t kScale>
[[nodiscard]] Result<graph::OperandId> pixel_shuffle(Layer& layer) {
    return shuffle_pixels(layer, kScale);
}
Result<graph::OperandId> concatenate(Layer& layer);
Result<graph::OperandId> cropping_2d(Layer& layer);
Result<graph::OperandId> flatten(Layer& layer);
Result<graph::OperandId> permute(Layer& layer);
Result<graph::OperandId> reshape(Layer& layer);
Result<graph::OperandId> zero_padding_2d(Layer& layer);

} // namespace sluice::models::tfjs::layers
