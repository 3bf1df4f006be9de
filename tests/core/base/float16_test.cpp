// SPDX-License-Identifier: Apache-2.0
// binary16 against the definition of the format in doubles, for every pattern and every midpoint.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/float16.h"

namespace sluice {
namespace {

// The format's definition: sign, exponent biased by 15, ten bits of fraction.
double value_of(std::uint16_t half) {
    const double sign = (half & 0x8000U) != 0 ? -1.0 : 1.0;
    const int exponent = (half >> 10U) & 31;
    const int fraction = half & 1023;
    if (exponent == 31) {
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    }
    return exponent == 0 ? sign * std::ldexp(fraction, -24)
                         : sign * std::ldexp(1024 + fraction, exponent - 25);
}

std::uint16_t pattern(std::uint32_t bits) {
    return static_cast<std::uint16_t>(bits);
}

TEST(Float16, widens_every_pattern_to_its_value) {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const double expected = value_of(pattern(bits));
        const float widened = float16_to_float(pattern(bits));
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(widened)) << std::hex << bits;
        } else {
            ASSERT_EQ(static_cast<double>(widened), expected) << std::hex << bits;
            ASSERT_EQ(std::signbit(widened), (bits & 0x8000U) != 0) << std::hex << bits;
        }
    }
}

TEST(Float16, narrows_every_value_back_to_its_pattern) {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const std::uint16_t back = float_to_float16(static_cast<float>(value_of(pattern(bits))));
        if (std::isnan(value_of(pattern(bits)))) {
            ASSERT_TRUE((back & 0x7C00U) == 0x7C00U && (back & 0x3FFU) != 0) << std::hex << bits;
        } else {
            ASSERT_EQ(back, bits) << std::hex << bits;
        }
    }
}

TEST(Float16, rounds_midpoints_to_even_and_their_neighbours_to_the_nearest) {
    for (const std::uint32_t sign : {0U, 0x8000U}) {
        for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) { // up to the largest finite pair
            const std::uint16_t low = pattern(sign | bits);
            const std::uint16_t high = pattern(sign | (bits + 1));
            // Exact in float: a half has 11 significant bits, the midpoint 12.
            const auto middle = static_cast<float>((value_of(low) + value_of(high)) / 2);
            const float toward_low = std::nextafter(middle, float16_to_float(low));
            const float toward_high = std::nextafter(middle, float16_to_float(high));
            ASSERT_EQ(float_to_float16(middle), (bits & 1U) == 0 ? low : high) << std::hex << bits;
            ASSERT_EQ(float_to_float16(toward_low), low) << std::hex << bits;
            ASSERT_EQ(float_to_float16(toward_high), high) << std::hex << bits;
        }
    }
}

TEST(Float16, overflows_to_infinity_from_halfway_beyond_the_largest) {
    EXPECT_EQ(float_to_float16(65504.0F), 0x7BFF);
    EXPECT_EQ(float_to_float16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
    EXPECT_EQ(float_to_float16(65520.0F), 0x7C00);
    EXPECT_EQ(float_to_float16(-65520.0F), 0xFC00);
    EXPECT_EQ(float_to_float16(std::numeric_limits<float>::max()), 0x7C00);
    EXPECT_EQ(float_to_float16(std::numeric_limits<float>::infinity()), 0x7C00);
}

TEST(Float16, tiny_floats_become_zero_of_their_sign) {
    EXPECT_EQ(float_to_float16(std::numeric_limits<float>::denorm_min()), 0x0000);
    EXPECT_EQ(float_to_float16(-std::numeric_limits<float>::denorm_min()), 0x8000);
    EXPECT_EQ(float_to_float16(0x1p-25F), 0x0000) << "a tie, to even";
    EXPECT_EQ(float_to_float16(std::nextafter(0x1p-25F, 1.0F)), 0x0001);
}

} // namespace
} // namespace sluice
