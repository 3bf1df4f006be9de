// SPDX-License-Identifier: Apache-2.0
// The transforms of Winograd convolution over 8x8 tiles: F(6x6, 3x3) and F(4x4, 5x5) share the
// points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016), and so the transform of the input.
#pragma once

#include <cstddef>

#include "core/cpu/activation.h"

namespace sluice::cpu {

inline constexpr std::size_t kWinogradTile = 8;
inline constexpr std::size_t kWinogradProducts = kWinogradTile * kWinogradTile;
inline constexpr std::size_t kMinWinogradChannels = 8; // a vector of them

// One tile of 8x8 input pixels to 64 places.
struct WinogradInput {
    const float* input; // channel c of pixel (y, x) at input[y * row_stride + x * channels + c]
    std::size_t row_stride;
    std::size_t channels;
    float* output; // channel c of product p at output[p * product_stride + c]
    std::size_t product_stride;
};

// 64 sums of products to the output pixels of one tile.
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
    void (*output6)(const WinogradOutput& tile); // of 3x3: 6x6 pixels
    void (*output4)(const WinogradOutput& tile); // of 5x5: 4x4 pixels
};

// Of the best instruction set that this processor has.
[[nodiscard]] const WinogradKernels& winograd_kernels();

} // namespace sluice::cpu
