// SPDX-License-Identifier: Apache-2.0
// Elements as doubles, and their distance in units in the last place.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/float16.h"
#include "core/graph/data_type.h"

namespace sluice::testing {

template <typename T>
[[nodiscard]] T element_as(std::span<const std::byte> bytes, std::size_t i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
}

// Element i of a tensor. Exact but for 64-bit integers beyond 2^53.
[[nodiscard]] inline double element(graph::DataType type, std::span<const std::byte> bytes,
                                    std::size_t i) {
    switch (type) {
    case graph::DataType::Float32: return static_cast<double>(element_as<float>(bytes, i));
    case graph::DataType::Float16:
        return static_cast<double>(float16_to_float(element_as<std::uint16_t>(bytes, i)));
    case graph::DataType::Int32: return element_as<std::int32_t>(bytes, i);
    case graph::DataType::Uint32: return element_as<std::uint32_t>(bytes, i);
    case graph::DataType::Int64: return static_cast<double>(element_as<std::int64_t>(bytes, i));
    case graph::DataType::Uint64: return static_cast<double>(element_as<std::uint64_t>(bytes, i));
    case graph::DataType::Int8: return element_as<std::int8_t>(bytes, i);
    case graph::DataType::Uint8: return element_as<std::uint8_t>(bytes, i);
    }
    return 0.0;
}

// How many representable values lie between two elements; 0 and -0 are the same, and so are two
// NaN. For integers their difference.
[[nodiscard]] inline double ulp_distance(graph::DataType type, std::span<const std::byte> a,
                                         std::span<const std::byte> b, std::size_t i) {
    // Sign and magnitude to a line of integers.
    const auto line = [](std::uint32_t bits, std::uint32_t sign) {
        const auto magnitude = static_cast<std::int64_t>(bits & (sign - 1));
        return (bits & sign) != 0 ? -magnitude : magnitude;
    };
    const double left = element(type, a, i);
    const double right = element(type, b, i);
    if (std::isnan(left) || std::isnan(right)) {
        return std::isnan(left) == std::isnan(right) ? 0.0 : INFINITY;
    }
    if (type == graph::DataType::Float32) {
        return static_cast<double>(std::abs(line(element_as<std::uint32_t>(a, i), 0x80000000U) -
                                            line(element_as<std::uint32_t>(b, i), 0x80000000U)));
    }
    if (type == graph::DataType::Float16) {
        return static_cast<double>(std::abs(line(element_as<std::uint16_t>(a, i), 0x8000U) -
                                            line(element_as<std::uint16_t>(b, i), 0x8000U)));
    }
    if (graph::size_of(type) == 8) {
        const auto x = element_as<std::uint64_t>(a, i);
        const auto y = element_as<std::uint64_t>(b, i);
        return x == y ? 0.0 : std::fmax(1.0, std::fabs(left - right));
    }
    return std::fabs(left - right);
}

} // namespace sluice::testing
