// SPDX-License-Identifier: Apache-2.0
// Winograd's minimal filtering F(4, 3) along the rows of depth-first chains: six products for four
// pixels instead of twelve (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2016). Rows are dealt out to phases, so that a vector holds the same pixel of many tiles.
#pragma once

#include <cstddef>

#include "core/cpu/chain_kernel.h"
#include "core/cpu/winograd_kernel.h"

namespace sluice::cpu {

// Sums of products of up to 16 output channels: sum p of tile t of channel o goes to products[(o *
// kWinogradTile + p) * stride + t].
struct ChainProducts {
    const float* const* planes; // [plane]: point 0 of the first tile, by kernel row and channel
    std::size_t plane_count;
    std::size_t stride;   // floats from a point to the next, of planes and products
    const float* weights; // by fours of outputs: [point][filter's plane][output]
    std::size_t first_plane, filter_planes; // which of the filter's planes are summed
    std::size_t outputs;
    float* products;
    std::size_t tiles;
};

// One output channel, made of its products.
struct ChainTiles {
    const float* products; // [point][stride]
    std::size_t stride;    // of points and phases
    float bias;
    float* output;   // phase 0 of the first tile
    float* mirrored; // as ChainConvRow's; may be null
    std::size_t tiles;
    float low, high;
};

// The kernels of one instruction set. All write whole vectors, up to kChainSlack tiles too many.
struct ChainWinogradKernels {
    // Phases of a row (each readable one tile before and behind) to the points of its tiles: tile t
    // sees the pixels 4 * t - 1 to 4 * t + 4.
    void (*transform)(const float* phases, std::size_t stride, std::size_t tiles, float* points);
    void (*multiply)(const ChainProducts& row);
    void (*finish)(const ChainTiles& row);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const ChainWinogradKernels& chain_winograd_kernels();

} // namespace sluice::cpu
