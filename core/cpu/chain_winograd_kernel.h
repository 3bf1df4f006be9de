// SPDX-License-Identifier: Apache-2.0
// Winograd's minimal filtering in depth-first chains, F(2, 3) down the picture and F(4, 3) along
// its rows: 24 products for eight pixels instead of 72 (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016). Rows are dealt out to phases, so that a vector holds the
// same pixel of many tiles.
#pragma once

#include <cstddef>

#include "core/cpu/chain_kernel.h"
#include "core/cpu/winograd_kernel.h"

namespace sluice::cpu {

inline constexpr std::size_t kChainKernel = 3;     // rows and columns of the filters
inline constexpr std::size_t kChainWindowRows = 4; // of a tile of two rows
inline constexpr std::size_t kChainPoints = kChainWindowRows * kWinogradTile;
// What the filter's three rows count in each of the four points down the picture, in the order in
// which they are multiplied: the middle ones first.
inline constexpr double kChainRowFactors[kChainWindowRows][kChainKernel] = {
    {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {1.0, 0.0, 0.0}, {0.0, 0.0, 1.0}};
// Tiles that are multiplied at a time; an odd number of cache lines.
inline constexpr std::size_t kChainBlockTiles = 48;
inline constexpr std::size_t kChainRowPoints = kWinogradTile * kChainBlockTiles; // of products

// Sums of products of up to 16 output channels, for two rows.
struct ChainProducts {
    // By row of the window: point 0, by input channel.
    const float* const* rows[kChainWindowRows];
    std::size_t first;  // tile of a row of points
    std::size_t stride; // floats from a point to the next
    // By fours of outputs: [point along the row][row factor][input channel][output].
    const float* weights;
    std::size_t inputs, outputs;
    float* products;   // [output][row][point along the row][kChainBlockTiles]
    std::size_t tiles; // up to kChainBlockTiles
};

// A row of one output channel, made of its products.
struct ChainTiles {
    const float* products; // [point][kChainBlockTiles]
    float bias;
    float* output;      // phase 0 of the first tile
    float* mirrored;    // as ChainConvRow's; may be null
    std::size_t stride; // of phases
    std::size_t tiles;
    float low, high;
};

// The kernels of one instruction set. All write whole vectors, up to kChainSlack tiles too many.
struct ChainWinogradKernels {
    // Phases of a row (each readable one tile before and behind) to the points of its tiles: tile t
    // sees the pixels 4 * t - 1 to 4 * t + 4. What is to be done down the picture, multiply() does.
    void (*transform)(const float* phases, std::size_t stride, std::size_t tiles, float* points);
    void (*multiply)(const ChainProducts& tiles);
    void (*finish)(const ChainTiles& row);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const ChainWinogradKernels& chain_winograd_kernels();

} // namespace sluice::cpu
