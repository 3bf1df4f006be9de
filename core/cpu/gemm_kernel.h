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
    const float* weights; // [segment][k][panel width], or as GemmPanels::steps tells
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

// What a vector of a panel holds.
enum class PanelKind : std::uint8_t {
    Full, // a column a lane
    Half, // eight columns, where full vectors have sixteen lanes
    // Where a matrix has few columns left, full vectors of several steps of k by 8, 4 or 1 columns:
    // each lane multiplies, and the steps are added up at the end.
    Eight,
    Four,
    One,
};
inline constexpr std::size_t kPanelKinds = 5;

// Those for panels of one kind.
struct GemmPanels {
    std::size_t columns; // of a vector; 0: this instruction set has none of this kind
    // Steps of k in a vector, column by column: weights are [segment][k / steps][column][k %
    // steps], padded with zeros at the end of a segment, whose length is a multiple of them or, of
    // two steps, any.
    std::size_t steps;
    std::size_t max_vectors;                  // a panel is 1..max_vectors vectors wide
    std::size_t max_pixels[kMaxPanelVectors]; // of a tile; [vectors - 1]
    // [vectors - 1][pixels - 1]; null where there is no kernel of just that size. One pixel always
    // has one.
    GemmFunction tiles[kMaxPanelVectors][kMaxTilePixels];
};

// The kernels of one instruction set.
struct GemmKernels {
    std::int64_t target; // Highway's number of the instruction set
    GemmPanels kinds[kPanelKinds];
    [[nodiscard]] const GemmPanels& panels(PanelKind kind) const {
        return kinds[static_cast<std::size_t>(kind)];
    }
    // values[i] = activation(values[i])
    void (*activate)(float* values, std::size_t count, const Activation& activation);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const GemmKernels& gemm_kernels();

} // namespace sluice::cpu
