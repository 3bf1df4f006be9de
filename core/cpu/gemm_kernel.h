// SPDX-License-Identifier: Apache-2.0
// The matrix product behind convolution and gemm: a tile of pixels times a panel of packed weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu/activation.h"

namespace sluice::cpu {

inline constexpr std::size_t kMaxPanelVectors = 3;
inline constexpr std::size_t kMaxTilePixels = 12;

// One call: `pixels` output pixels (rows of A) by one panel of output channels (columns of B).
//
// Row m of A is the concatenation of segment_count segments of segment_length floats; segment s
// starts at input[base + offsets[s] + m * pixel_stride]. A convolution's segments are rows of its
// window, a matrix product has one. Nothing outside the segments is read.
struct GemmTile {
    const float* input;
    std::ptrdiff_t base;
    const std::ptrdiff_t* offsets;
    std::size_t segment_count;
    std::size_t segment_length;
    std::size_t pixel_stride;
    const float* weights; // [segment][k][panel width]
    const float* bias;    // [panel width]
    // Added before the activation where not null; channel c of pixel m at residual[m *
    // residual_stride + c], zero for c >= residual_channels.
    const float* residual;
    std::size_t residual_stride;
    std::size_t residual_channels;
    float* output; // channel c of pixel m at output[m * output_stride + c]
    std::size_t output_stride;
    std::size_t channels; // 1..panel width: how many of the panel's columns are stored
    Activation activation;
};

using GemmFunction = void (*)(const GemmTile& tile);

// Those for panels of one kind of vector.
struct GemmPanels {
    std::size_t lanes;                        // floats in a vector
    std::size_t max_vectors;                  // a panel is 1..max_vectors vectors wide
    std::size_t max_pixels[kMaxPanelVectors]; // of a tile; [vectors - 1]
    // [vectors - 1][pixels - 1]; null where there is no kernel of just that size. One pixel always
    // has one.
    GemmFunction tiles[kMaxPanelVectors][kMaxTilePixels];
};

// The kernels of one instruction set.
struct GemmKernels {
    std::int64_t target; // Highway's number of the instruction set
    GemmPanels full;
    // Of eight lanes, where full vectors have sixteen and leave half of themselves empty; else all
    // zero.
    GemmPanels half;
    [[nodiscard]] const GemmPanels& panels(bool of_half) const { return of_half ? half : full; }
    // values[i] = activation(values[i])
    void (*activate)(float* values, std::size_t count, const Activation& activation);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const GemmKernels& gemm_kernels();

} // namespace sluice::cpu
