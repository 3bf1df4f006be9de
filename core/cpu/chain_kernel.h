// SPDX-License-Identifier: Apache-2.0
// The kernels of depth-first chains: rows of pictures whose channels lie apart, as planes.
#pragma once

#include <cstddef>

#include "core/cpu/planar_kernel.h"

namespace sluice::cpu {

// Rows are written in whole blocks: up to this many floats behind the last pixel are overwritten,
// and as many are read.
inline constexpr std::size_t kChainSlack = 16;
inline constexpr std::size_t kChainKernelWidths = 3; // 1, 3 and 5

// 1..4 channels of one row of a stride 1 convolution.
struct ChainConvRow {
    // [plane]: by kernel row and input channel, where the first pixel's window begins.
    const float* const* planes;
    std::size_t plane_count;
    const float* weights;  // [plane][kernel column][output channel]
    const float* bias;     // [output channel]
    float* const* outputs; // [output channel]
    // Where not null: max(0, v) goes to outputs and max(0, -v) here, [output channel].
    float* const* mirrored;
    std::size_t pixels;
    float low, high; // bounds of what goes to outputs, where nothing is mirrored
};

// One row of twice the width, made of sub-pixels: channel c of pixel 2 * x + i is subpixels[i *
// channels + c][x].
struct ChainShuffleRow {
    const float* const* subpixels;
    std::size_t channels; // 1..4
    std::size_t pixels;   // of a sub-pixel's plane
    float* shuffled;      // [2 * pixels][channels]; may be null
    // Where not null: channels of planes whose row is enlarged and added, [2 *
    // pixels][sum_channels].
    float* sum;
    const float* const* enlarged; // [sum channel]: readable one pixel before and behind
    std::size_t sum_channels;     // 1..4; `channels` is the same, or 1
};

// The kernels of one instruction set.
struct ChainKernels {
    // [output channels - 1][kernel width / 2]
    void (*conv[kMaxPlanarOutputs][kChainKernelWidths])(const ChainConvRow& row);
    void (*shuffle)(const ChainShuffleRow& row);
    // out[i] = low[i] + weight * (high[i] - low[i])
    void (*blend)(const float* low, const float* high, float weight, std::size_t count, float* out);
    // Planes to [pixel][channel], of 1..4 channels.
    void (*join)(const float* const* planes, std::size_t channels, std::size_t pixels, float* out);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const ChainKernels& chain_kernels();

} // namespace sluice::cpu
