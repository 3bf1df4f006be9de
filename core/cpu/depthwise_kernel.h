// SPDX-License-Identifier: Apache-2.0
// The kernels behind depthwise convolution: a few neighbouring output pixels, all channels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu/activation.h"

namespace sluice::cpu {

// Neighbouring output pixels of one row. The tile's first window starts at input[base]; kernel rows
// are row_stride floats apart, columns column_stride.
struct DepthwiseTile {
    const float* input;
    std::ptrdiff_t base;
    std::size_t row_stride;
    std::size_t column_stride;
    std::size_t rows; // of the kernel that lie inside the picture; weights start with the first
    // Columns of the tile that lie inside the picture, [begin, end), counted from `base`; for
    // kernels of any shape, the taps of the one window that do.
    std::size_t column_begin;
    std::size_t column_end;
    std::size_t channels;
    std::size_t kernel_width; // for kernels of any shape
    const float* weights;     // [kernel row][kernel column][channels]
    const float* bias;        // [channels]
    // Added before the activation where not null; zero from residual_channels on.
    const float* residual;
    std::size_t residual_channels;
    float* output; // pixels follow each other
    Activation activation;
};

using DepthwiseFunction = void (*)(const DepthwiseTile& tile);

inline constexpr std::size_t kDepthwiseTileLogs = 4; // tiles of 1, 2, 4 and 8 pixels

// Of a tile in a run: the second serves pictures 6, 12, 36... wide.
inline constexpr std::size_t kDepthwiseRunPixels[] = {8, 6};

// Tiles of 3x3 windows, two or three rows of which lie inside the picture. Its first column or its
// last may lie in the padding.
struct DepthwiseRun {
    std::size_t tiles; // at least one
    bool left, right;
};

// The kernels of one instruction set.
struct DepthwiseKernels {
    std::size_t lanes; // the fast ones need at least as many channels
    // Widths 3 and 5, strides 1 and 2, without dilation; [kernel_width == 5][stride - 1][whether
    // columns lie outside][log2 of the pixels].
    DepthwiseFunction fast[2][2][2][kDepthwiseTileLogs];
    // Of 3x3 windows without dilation; [stride - 1][rows - 2][which of kDepthwiseRunPixels].
    void (*runs[2][2][2])(const DepthwiseTile& tile, const DepthwiseRun& run);
    DepthwiseFunction any; // one pixel of any shape
};

// Of the best instruction set that this processor has.
[[nodiscard]] const DepthwiseKernels& depthwise_kernels();

} // namespace sluice::cpu
