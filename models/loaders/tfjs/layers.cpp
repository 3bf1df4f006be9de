// SPDX-License-Identifier: Apache-2.0
// The table of layers, in the order of their names. To add one, write its function in the file of
// its kind, declare it in layers.h and add a row.
#include "models/loaders/tfjs/layers.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/ops/binary.h"
#include "models/loaders/tfjs/layer.h"

namespace sluice::models::tfjs {
namespace {

struct LayerRow {
    std::string_view class_name;
    LayerFunction function;
};

constexpr LayerRow kLayers[] = {
    {"Activation", layers::activation},
    {"Add", layers::merge<ops::BinaryKind::Add>},
    {"Average", layers::average},
    {"AveragePooling2D", layers::average_pooling_2d},
    {"BatchNormalization", layers::batch_normalization},
    {"Concatenate", layers::concatenate},
    {"Conv2D", layers::conv_2d},
    {"Conv2DTranspose", layers::conv_2d_transpose},
    {"Cropping2D", layers::cropping_2d},
    {"Dense", layers::dense},
    {"DepthwiseConv2D", layers::depthwise_conv_2d},
    {"Dropout", layers::identity},
    {"ELU", layers::elu},
    {"Flatten", layers::flatten},
    {"GaussianNoise", layers::identity},
    {"GlobalAveragePooling2D", layers::global_average_pooling_2d},
    {"GlobalMaxPooling2D", layers::global_max_pooling_2d},
    {"LeakyReLU", layers::leaky_relu},
    {"MaxPooling2D", layers::max_pooling_2d},
    {"Maximum", layers::merge<ops::BinaryKind::Max>},
    {"Minimum", layers::merge<ops::BinaryKind::Min>},
    {"Multiply", layers::merge<ops::BinaryKind::Mul>},
    {"MultiplyBeta", layers::multiply_beta},
    {"PReLU", layers::prelu},
    {"Permute", layers::permute},
    {"PixelShuffle", layers::pixel_shuffle<2>},
    {"PixelShuffle2x", layers::pixel_shuffle<2>},
    {"PixelShuffle3x", layers::pixel_shuffle<3>},
    {"PixelShuffle4x", layers::pixel_shuffle<4>},
    {"PixelShuffle8x", layers::pixel_shuffle<8>},
    {"ReLU", layers::relu},
    {"Rescaling", layers::rescaling},
    {"Reshape", layers::reshape},
    {"SeparableConv2D", layers::separable_conv_2d},
    {"Softmax", layers::softmax},
    {"SpatialDropout2D", layers::identity},
    {"Subtract", layers::merge<ops::BinaryKind::Sub>},
    {"UpSampling2D", layers::up_sampling_2d},
    {"ZeroPadding2D", layers::zero_padding_2d},
};

} // namespace

LayerFunction find_layer(std::string_view class_name) {
    const auto* row = std::ranges::find(kLayers, class_name, &LayerRow::class_name);
    return row == std::end(kLayers) ? nullptr : row->function;
}

} // namespace sluice::models::tfjs
