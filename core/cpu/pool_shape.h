// SPDX-License-Identifier: Apache-2.0
// The geometry of pooling: which of a window's taps lie in the picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::cpu {

// Taps of a window along one axis that lie in the picture: the first one's position, and how many,
// each a dilation further.
struct Taps {
    std::size_t first, count;
};

// One pooling of NHWC pictures.
struct PoolShape {
    bool is_max;
    std::size_t height, width, channels;
    std::size_t out_height, out_width;
    std::array<std::uint32_t, 2> window;
    std::array<std::uint32_t, 4> padding; // top, bottom, left, right
    std::array<std::uint32_t, 2> strides;
    std::array<std::uint32_t, 2> dilations;

    // Axis 0 is height, 1 width; `position` counts outputs.
    [[nodiscard]] Taps taps(std::size_t axis, std::size_t position) const;
    [[nodiscard]] bool is_2x2() const; // without dilation
    // How many outputs of a row from `column` on have all columns of their windows in the picture;
    // of windows without dilation.
    [[nodiscard]] std::size_t inside(std::size_t column) const;
};

} // namespace sluice::cpu
