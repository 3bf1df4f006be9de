// SPDX-License-Identifier: Apache-2.0
// Tables, sizes and rounding as people and scripts see them.
#include <limits>

#include <gtest/gtest.h>

#include "pipelines/cli/mask_writer.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {
namespace {

TEST(Output, tables_align_and_leave_no_trailing_blanks) {
    EXPECT_EQ(table({{"name", "ms", "note"}, {"a", "10.5", ""}, {"long name", "1", "x"}}, 1),
              "name         ms  note\n"
              "a          10.5\n"
              "long name     1     x\n");
    EXPECT_EQ(table({}, 1), "");
}

TEST(Output, bytes_have_units) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1024), "1.0 KiB");
    EXPECT_EQ(bytes_text(3 * 1024 * 1024 / 2), "1.5 MiB");
    EXPECT_EQ(bytes_text(std::size_t{5} << 40U), "5120.0 GiB");
}

TEST(Output, rounding_keeps_what_is_not_finite) {
    EXPECT_EQ(rounded(1.23456, 2), 1.23);
    EXPECT_EQ(rounded(-0.5, 0), -1.0);
    EXPECT_EQ(rounded(std::numeric_limits<double>::infinity(), 2),
              std::numeric_limits<double>::infinity());
}

TEST(Output, patterns_number_files) {
    EXPECT_TRUE(is_pattern("mask-%04d.png"));
    EXPECT_TRUE(is_pattern("%d"));
    EXPECT_FALSE(is_pattern("mask.png"));
    EXPECT_FALSE(is_pattern("100%.png"));
    EXPECT_FALSE(is_pattern("%s.png"));
    EXPECT_EQ(numbered("a/mask-%04d.png", 7), "a/mask-0007.png");
    EXPECT_EQ(numbered("%d.png", 12345), "12345.png");
}

TEST(Output, shortens_what_is_long_between_characters) {
    EXPECT_EQ(shortened("conv2d 'a'", 10), "conv2d 'a'");
    EXPECT_EQ(shortened("0123456789abcdef", 9), "012...def");
    EXPECT_EQ(shortened("0123456789abcdef", 10), "012...cdef");
    EXPECT_EQ(shortened("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC", 9),
              "\xC3\xA4...\xC3\xBC");
}

} // namespace
} // namespace sluice::cli
