// SPDX-License-Identifier: Apache-2.0
// Checked arithmetic at and around the limits of its types.
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/checked_math.h"

namespace sluice {
namespace {

TEST(CheckedMath, add_is_exact_or_nothing) {
    constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(checked_add<std::uint32_t>(kMax - 1, 1), kMax);
    EXPECT_EQ(checked_add<std::uint32_t>(kMax, 1), std::nullopt);
    EXPECT_EQ(checked_add<std::int8_t>(100, 27), std::int8_t{127});
    EXPECT_EQ(checked_add<std::int8_t>(100, 28), std::nullopt);
    EXPECT_EQ(checked_add<std::int8_t>(-100, -29), std::nullopt);
}

TEST(CheckedMath, mul_agrees_with_wide_arithmetic_for_all_bytes) {
    for (int a = -128; a < 128; ++a) {
        for (int b = -128; b < 128; ++b) {
            const auto product =
                checked_mul(static_cast<std::int8_t>(a), static_cast<std::int8_t>(b));
            if (a * b >= -128 && a * b <= 127) {
                ASSERT_EQ(product, static_cast<std::int8_t>(a * b)) << a << " * " << b;
            } else {
                ASSERT_EQ(product, std::nullopt) << a << " * " << b;
            }
        }
    }
}

TEST(CheckedMath, product_takes_mixed_types_and_refuses_what_does_not_fit) {
    EXPECT_EQ(checked_product<std::size_t>(1920, 1080, 3), std::size_t{6220800});
    EXPECT_EQ(checked_product<std::uint32_t>(65536U, 65535), 4294901760U);
    EXPECT_EQ(checked_product<std::uint32_t>(65536U, 65536), std::nullopt);
    EXPECT_EQ(checked_product<std::uint32_t>(1U, std::uint64_t{1} << 32U), std::nullopt);
    EXPECT_EQ(checked_product<std::size_t>(4, -1), std::nullopt) << "a negative factor";
    EXPECT_EQ(checked_product<std::uint32_t>(65536U, 65536, 0), std::nullopt)
        << "a factor of 0 does not mend an overflow before it";
}

TEST(CheckedMath, cast_keeps_values_in_range) {
    EXPECT_EQ((checked_cast<std::uint8_t>(255)), std::uint8_t{255});
    EXPECT_EQ((checked_cast<std::uint8_t>(256)), std::nullopt);
    EXPECT_EQ((checked_cast<std::uint8_t>(-1)), std::nullopt);
    EXPECT_EQ((checked_cast<std::int32_t>(std::uint64_t{1} << 31U)), std::nullopt);
}

TEST(CheckedMath, rounding_helpers) {
    EXPECT_EQ(align_up(0, 64), 0U);
    EXPECT_EQ(align_up(1, 64), 64U);
    EXPECT_EQ(align_up(64, 64), 64U);
    EXPECT_EQ(align_up(65, 64), 128U);
    EXPECT_EQ(div_ceil(0, 4), 0);
    EXPECT_EQ(div_ceil(8, 4), 2);
    EXPECT_EQ(div_ceil(9, 4), 3);
}

} // namespace
} // namespace sluice
