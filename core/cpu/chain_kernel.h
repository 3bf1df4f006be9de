// SPDX-License-Identifier: Apache-2.0
// The kernels of depth-first chains: rows of pictures whose channels lie apart, as planes.
#pragma once

#include <cstddef>

#include "core/cpu/planar_kernel.h"

namespace sluice::cpu {

// Rows are written in whole vectors: up to this many floats behind the last are overwritten, and as
// many are read.
inline constexpr std::size_t kChainSlack = 16;
// Where a chain has Winograd convolutions, its rows are dealt out to this many phases: column 4 * t
// + p is value t of phase p.
inline constexpr std::size_t kChainPhases = 4;

// 1..4 channels of one row of a stride 1 convolution, or of its phases.
struct ChainConvRow {
    // [plane]: by kernel row, input channel and kernel column, what the first value is made of.
    const float* const* planes;
    std::size_t plane_count;
    const float* weights;  // [plane][output channel]
    const float* bias;     // [output channel]
    float* const* outputs; // [output channel]
    // Where not null: max(0, v) goes to outputs and max(0, -v) here, [output channel].
    float* const* mirrored;
    std::size_t count;
    // As many times, each `stride` floats further of what is read and written.
    std::size_t phases, stride;
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
    void (*conv[kMaxPlanarOutputs])(const ChainConvRow& row); // [output channels - 1]
    // `tiles` times four pixels to phases that lie `stride` floats apart, and back.
    void (*deal)(const float* row, std::size_t tiles, std::size_t stride, float* phases);
    void (*collect)(const float* phases, std::size_t tiles, std::size_t stride, float* row);
    void (*shuffle)(const ChainShuffleRow& row);
    // out[i] = low[i] + weight * (high[i] - low[i])
    void (*blend)(const float* low, const float* high, float weight, std::size_t count, float* out);
    // Planes to [pixel][channel], of 1..4 channels.
    void (*join)(const float* const* planes, std::size_t channels, std::size_t pixels, float* out);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const ChainKernels& chain_kernels();

} // namespace sluice::cpu
