// SPDX-License-Identifier: Apache-2.0
// The kernels behind convolutions to very few channels: vectors of pixels instead of channels.
#pragma once

#include <cstddef>

#include "core/cpu/activation.h"

namespace sluice::cpu {

inline constexpr std::size_t kMaxPlanarOutputs = 4;
// Kernels read this many floats beyond the last pixel of a plane.
inline constexpr std::size_t kPlanarSlack = 8;

// One output row of a stride 1 convolution. An input row is in_channels planes of plane_stride
// floats; pixel x of the output uses [x, x + kernel_width) of each.
struct PlanarRow {
    const float* const* rows; // the kernel's rows that lie inside the picture
    std::size_t row_count;
    std::size_t in_channels;
    std::size_t plane_stride;
    std::size_t kernel_width;
    const float* weights; // [kernel row][input channel][kernel column][output channel]
    const float* bias;    // [output channel]
    float* output;        // [pixel][output channel]
    std::size_t pixels;
    Activation activation;
};

// The kernels of one instruction set.
struct PlanarKernels {
    void (*rows[kMaxPlanarOutputs])(const PlanarRow& row); // [output channels - 1]
    // Separates `pixels` pixels of `channels` floats into planes.
    void (*separate)(const float* from, std::size_t pixels, std::size_t channels, float* planes,
                     std::size_t plane_stride);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const PlanarKernels& planar_kernels();

} // namespace sluice::cpu
