// SPDX-License-Identifier: Apache-2.0
// Typed, strided and broadcast access to tensors, for loops that put clarity before speed.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/base/float16.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/kernel.h"

namespace sluice::reference {

// A stored float16 element.
struct Half {
    std::uint16_t bits;
};

template <typename T>
inline constexpr bool kIsFloat = std::same_as<T, float> || std::same_as<T, Half>;

// What an element is computed in: double for floats, so that a sum is rounded once; 64 bits for
// integers.
template <typename T>
using Wide =
    std::conditional_t<kIsFloat<T>, double,
                       std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

// The exact value of an element.
template <typename T>
[[nodiscard]] Wide<T> widen(T value) {
    if constexpr (std::same_as<T, Half>) {
        return static_cast<double>(float16_to_float(value.bits));
    } else {
        return static_cast<Wide<T>>(value);
    }
}

// Of a wide value; never of an integer.
template <typename W>
[[nodiscard]] bool is_nan(W value) {
    if constexpr (std::is_floating_point_v<W>) {
        return std::isnan(value);
    } else {
        return false;
    }
}

// Double to float16 with a single rounding: the float in between is rounded to odd, so that the
// second step sees on which side of a tie the value lies.
[[nodiscard]] inline Half round_to_half(double value) {
    auto nearest = static_cast<float>(value);
    if (std::isfinite(nearest) && static_cast<double>(nearest) != value) {
        if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) {
            nearest = std::nextafter(nearest, 0.0F);
        }
        nearest = std::bit_cast<float>(std::bit_cast<std::uint32_t>(nearest) | 1U);
    }
    return Half{float_to_float16(nearest)};
}

// Rounds to nearest even for floats; integers wrap.
template <typename T>
[[nodiscard]] T narrow(Wide<T> value) {
    if constexpr (std::same_as<T, Half>) {
        return round_to_half(value);
    } else {
        return static_cast<T>(value);
    }
}

// Rounds a double to any type: integers truncate and saturate, NaN becomes 0.
template <typename T>
[[nodiscard]] T from_double(double value) {
    if constexpr (kIsFloat<T>) {
        return narrow<T>(value);
    } else {
        using Limits = std::numeric_limits<T>;
        if (std::isnan(value)) {
            return 0;
        }
        if (value <= static_cast<double>(Limits::min())) {
            return Limits::min();
        }
        // max() of 64 bits rounds up to 2^63 or 2^64, which is out of range as well.
        if (value >= static_cast<double>(Limits::max())) {
            return Limits::max();
        }
        return static_cast<T>(value);
    }
}

// Calls body(std::type_identity<T>{}) with the C++ type of the elements.
template <typename Body>
decltype(auto) visit_type(graph::DataType type, Body&& body) {
    switch (type) {
    case graph::DataType::Float32: return body(std::type_identity<float>{});
    case graph::DataType::Float16: return body(std::type_identity<Half>{});
    case graph::DataType::Int32: return body(std::type_identity<std::int32_t>{});
    case graph::DataType::Uint32: return body(std::type_identity<std::uint32_t>{});
    case graph::DataType::Int64: return body(std::type_identity<std::int64_t>{});
    case graph::DataType::Uint64: return body(std::type_identity<std::uint64_t>{});
    case graph::DataType::Int8: return body(std::type_identity<std::int8_t>{});
    case graph::DataType::Uint8: return body(std::type_identity<std::uint8_t>{});
    }
    std::unreachable();
}

// The same for float32 and float16 only.
template <typename Body>
void visit_float(graph::DataType type, Body&& body) {
    if (type == graph::DataType::Float32) {
        body(std::type_identity<float>{});
    } else {
        body(std::type_identity<Half>{});
    }
}

// Calls body with an unsigned type of the elements' size, for operators that only move them.
template <typename Body>
void visit_size(graph::DataType type, Body&& body) {
    switch (graph::size_of(type)) {
    case 1: return body(std::type_identity<std::uint8_t>{});
    case 2: return body(std::type_identity<std::uint16_t>{});
    case 4: return body(std::type_identity<std::uint32_t>{});
    default: return body(std::type_identity<std::uint64_t>{});
    }
}

using Strides = std::array<std::size_t, graph::kMaxRank>;

// Element strides of `from` seen as a tensor of shape `to`: 0 on the axes that are repeated.
[[nodiscard]] inline Strides broadcast_strides(const graph::Shape& from, const graph::Shape& to) {
    const Strides dense = graph::strides_of(from);
    const std::size_t lead = to.rank() - from.rank();
    Strides out{};
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
        out[lead + axis] = from[axis] == 1 ? 0 : dense[axis];
    }
    return out;
}

// Walks all elements of `shape` in row-major order. body(offsets) gets, per set of strides, the
// element offset that belongs to the current index.
template <std::size_t N, typename Body>
void for_each_index(const graph::Shape& shape, const std::array<Strides, N>& strides, Body&& body) {
    std::array<std::uint32_t, graph::kMaxRank> index{};
    std::array<std::size_t, N> offsets{};
    const std::size_t count = shape.element_count();
    for (std::size_t i = 0; i < count; ++i) {
        body(offsets);
        for (std::size_t axis = shape.rank(); axis-- > 0;) {
            for (std::size_t n = 0; n < N; ++n) {
                offsets[n] += strides[n][axis];
            }
            if (++index[axis] < shape[axis]) {
                break;
            }
            for (std::size_t n = 0; n < N; ++n) {
                offsets[n] -= strides[n][axis] * shape[axis];
            }
            index[axis] = 0;
        }
    }
}

// A picture of rank 4 whichever way it is laid out: sizes and element strides by name.
struct Picture {
    std::size_t batches, channels, height, width;
    std::size_t batch_stride, channel_stride, row_stride, column_stride;

    [[nodiscard]] std::size_t at(std::size_t n, std::size_t c, std::size_t y, std::size_t x) const {
        return n * batch_stride + c * channel_stride + y * row_stride + x * column_stride;
    }
};

[[nodiscard]] inline Picture picture(const graph::Shape& shape, ops::InputLayout layout) {
    const Strides strides = graph::strides_of(shape);
    const bool nchw = layout == ops::InputLayout::Nchw;
    const std::size_t c = nchw ? 1 : 3;
    const std::size_t y = nchw ? 2 : 1;
    const std::size_t x = nchw ? 3 : 2;
    return {.batches = shape[0],
            .channels = shape[c],
            .height = shape[y],
            .width = shape[x],
            .batch_stride = strides[0],
            .channel_stride = strides[c],
            .row_stride = strides[y],
            .column_stride = strides[x]};
}

// Position on an axis that has `padding` elements before it. Left of the tensor it wraps to a huge
// value, so that one comparison with the size finds both ends.
[[nodiscard]] inline std::size_t unpadded(std::size_t position, std::size_t padding) {
    return position - padding;
}

using runtime::make_kernel;

// Unsupported unless the type is one of floats.
[[nodiscard]] inline Status require_float(graph::DataType type) {
    if (graph::is_float(type)) {
        return {};
    }
    return fail(ErrorCode::Unsupported, "reference: data type {} is not a float",
                graph::name(type));
}

} // namespace sluice::reference
