// SPDX-License-Identifier: Apache-2.0
// The transforms of Winograd convolution over 6x6 tiles (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016): F(4x4, 3x3) and F(2x2, 5x5) share their points, and so
// the transform of the input.
#pragma once

#include <cstddef>

#include "core/cpu/activation.h"

namespace sluice::cpu {

inline constexpr std::size_t kWinogradTile = 6;
inline constexpr std::size_t kWinogradProducts = kWinogradTile * kWinogradTile;
// The points are 0, +-kNearPoint, +-kFarPoint and infinity. Of all pairs of multiples of 1/8 up to
// 19/8 these give the least error, half of that of the usual 1 and 2 on average and less at worst.
// All their powers and products that the transforms need are floats without rounding.
inline constexpr float kNearPoint = 0.625F;
inline constexpr float kFarPoint = 1.5F;
inline constexpr std::size_t kMaxWinogradLanes =
    16; // no picture has fewer channels, see suits_winograd()

// One tile of 6x6 input pixels to 36 products.
struct WinogradInput {
    const float* input; // channel c of pixel (y, x) at input[y * row_stride + x * channels + c]
    std::size_t row_stride;
    std::size_t channels;
    float* output; // channel c of product p at output[p * product_stride + c]
    std::size_t product_stride;
};

// 36 sums of products to the output pixels of one tile.
struct WinogradOutput {
    const float* sums; // channel c of product p at sums[p * product_stride + c]
    std::size_t product_stride;
    std::size_t channels;
    const float* bias;     // [channel]
    const float* residual; // as the output; may be null
    float* output;         // channel c of pixel (y, x) at output[y * row_stride + x * channels + c]
    std::size_t row_stride;
    std::size_t rows, columns; // of the tile's pixels, how many there are
    Bounds bounds;
};

// The kernels of one instruction set.
struct WinogradKernels {
    void (*input)(const WinogradInput& tile);
    void (*output4)(const WinogradOutput& tile); // of 3x3: 4x4 pixels
    void (*output2)(const WinogradOutput& tile); // of 5x5: 2x2 pixels
};

// Of the best instruction set that this processor has.
[[nodiscard]] const WinogradKernels& winograd_kernels();

} // namespace sluice::cpu
