// SPDX-License-Identifier: Apache-2.0
// Positions and weights of Resize's samples.
#include "models/loaders/onnx/resampling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace sluice::models::onnx::resampling {
namespace {

// Where element i of the result lies in the input.
double position(const Method& method, const Axis& axis, std::uint32_t i) {
    const double at = i;
    const double centred = (at + 0.5) / axis.scale - 0.5;
    switch (method.coordinates) {
    case Coordinates::HalfPixel: return centred;
    case Coordinates::HalfPixelSymmetric: {
        // The part of an element that rounding the size took away is split between both ends.
        const double adjustment = axis.to / (axis.scale * axis.from);
        return axis.from / 2.0 * (1.0 - adjustment) + centred;
    }
    case Coordinates::PytorchHalfPixel: return axis.to > 1 ? centred : 0.0;
    case Coordinates::TfHalfPixel: return (at + 0.5) / axis.scale;
    case Coordinates::AlignCorners:
        return axis.length > 1.0 ? at * (axis.from - 1.0) / (axis.length - 1.0) : 0.0;
    case Coordinates::Asymmetric: return at / axis.scale;
    }
    std::unreachable();
}

// What WebNN's resample2d takes it to be.
double webnn_position(const Axis& axis, std::uint32_t i) {
    return (static_cast<double>(i) + 0.5) * axis.from / axis.to - 0.5;
}

std::uint32_t clamped(double index, const Axis& axis) {
    return static_cast<std::uint32_t>(std::clamp(index, 0.0, axis.from - 1.0));
}

// The weight of an element at this distance, in elements of the input.
double weight(const Method& method, double distance) {
    const double x = std::fabs(distance);
    if (method.mode == Mode::Linear) {
        return std::max(0.0, 1.0 - x);
    }
    const double a = method.cubic;
    if (x <= 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    }
    return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

} // namespace

std::uint32_t nearest(const Method& method, const Axis& axis, std::uint32_t i) {
    const double at = position(method, axis, i);
    switch (method.rounding) {
    case Rounding::PreferFloor: return clamped(std::ceil(at - 0.5), axis);
    case Rounding::PreferCeil: return clamped(std::floor(at + 0.5), axis);
    case Rounding::Floor: return clamped(std::floor(at), axis);
    case Rounding::Ceil: return clamped(std::ceil(at), axis);
    }
    std::unreachable();
}

void add_weights(const Method& method, const Axis& axis, std::uint32_t i, double* row) {
    const double at = position(method, axis, i);
    const double shrink = method.antialias ? std::min(axis.scale, 1.0) : 1.0;
    const double reach = (method.mode == Mode::Cubic ? 2.0 : 1.0) / shrink;
    double sum = 0.0;
    for (double tap = std::floor(at - reach); tap <= std::ceil(at + reach); tap += 1.0) {
        const bool outside = tap < 0.0 || tap > axis.from - 1.0;
        if (outside && method.excludes_outside) {
            continue;
        }
        const double part = weight(method, (tap - at) * shrink);
        row[clamped(tap, axis)] += part;
        sum += part;
    }
    for (std::uint32_t k = 0; k < axis.from && sum != 0.0; ++k) {
        row[k] /= sum;
    }
}

bool is_kept(const Method& method, const Axis& axis) {
    if (axis.from != axis.to) {
        return false;
    }
    for (std::uint32_t i = 0; i < axis.to; ++i) {
        if (std::fabs(position(method, axis, i) - i) > 1e-6) {
            return false;
        }
    }
    return true;
}

bool is_webnn(const Method& method, const Axis& axis) {
    if (method.mode == Mode::Cubic || (method.antialias && axis.scale < 1.0)) {
        return false;
    }
    const double last = axis.from - 1.0;
    for (std::uint32_t i = 0; i < axis.to; ++i) {
        const double theirs = webnn_position(axis, i);
        if (method.mode == Mode::Nearest) {
            if (nearest(method, axis, i) != clamped(std::ceil(theirs - 0.5), axis)) {
                return false;
            }
        } else if (std::fabs(std::clamp(position(method, axis, i), 0.0, last) -
                             std::clamp(theirs, 0.0, last)) > 1e-6 * axis.from) {
            return false;
        }
    }
    return true;
}

} // namespace sluice::models::onnx::resampling
