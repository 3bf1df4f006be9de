// SPDX-License-Identifier: Apache-2.0
// Arithmetic on sizes and offsets that come from files, caps or file descriptors.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>

namespace sluice {

// Each returns nothing where the exact result does not fit into T.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
    T out{};
    return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional<T>(out);
}

template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, T b) {
    T out{};
    return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional<T>(out);
}

// The product of all arguments: checked_product<size_t>(width, height, channels).
template <std::integral T, typename... Factors>
[[nodiscard]] constexpr std::optional<T> checked_product(T first, Factors... rest) {
    std::optional<T> out = first;
    ((out = out && std::in_range<T>(rest) ? checked_mul<T>(*out, static_cast<T>(rest))
                                          : std::nullopt),
     ...);
    return out;
}

template <std::integral To, std::integral From>
[[nodiscard]] constexpr std::optional<To> checked_cast(From value) {
    return std::in_range<To>(value) ? std::optional<To>(static_cast<To>(value)) : std::nullopt;
}

// Rounds up to a multiple of a power of two.
[[nodiscard]] constexpr std::size_t align_up(std::size_t value, std::size_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

template <std::integral T>
[[nodiscard]] constexpr T div_ceil(T a, T b) {
    return (a + b - 1) / b;
}

} // namespace sluice
