// SPDX-License-Identifier: Apache-2.0
// How Resize samples one axis: which elements of the input each element of the result is made of.
#pragma once

#include <cstdint>

namespace sluice::models::onnx::resampling {

// How positions of the result map to positions of the input.
enum class Coordinates : std::uint8_t {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    TfHalfPixel, // nearest only, version 11
    AlignCorners,
    Asymmetric,
};
enum class Mode : std::uint8_t { Nearest, Linear, Cubic };
enum class Rounding : std::uint8_t { PreferFloor, PreferCeil, Floor, Ceil };

struct Method {
    Mode mode = Mode::Nearest;
    Coordinates coordinates = Coordinates::HalfPixel;
    Rounding rounding = Rounding::PreferFloor;
    double cubic = -0.75;
    bool antialias = false;
    bool excludes_outside = false;
};

// One axis: sizes before and after, the latter also as it was before rounding, and output elements
// per input element.
struct Axis {
    std::uint32_t from = 1;
    std::uint32_t to = 1;
    double length = 1.0;
    double scale = 1.0;
};

// The element of the input that result element i is, by the mode Nearest.
[[nodiscard]] std::uint32_t nearest(const Method& method, const Axis& axis, std::uint32_t i);
// Adds the weights of result element i to its row of the matrix, which has `axis.from` elements; by
// the other modes.
void add_weights(const Method& method, const Axis& axis, std::uint32_t i, double* row);
// Whether every element of the result is that of the input.
[[nodiscard]] bool is_kept(const Method& method, const Axis& axis);
// Whether WebNN's resample2d does the same with this axis.
[[nodiscard]] bool is_webnn(const Method& method, const Axis& axis);

} // namespace sluice::models::onnx::resampling
