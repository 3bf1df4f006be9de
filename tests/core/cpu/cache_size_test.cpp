// SPDX-License-Identifier: Apache-2.0
// What Linux tells of processors that share a cache.
#include <gtest/gtest.h>

#include "core/cpu/cache_size.h"

namespace sluice::cpu {
namespace {

TEST(CacheSize, counts_processors_of_a_list) {
    EXPECT_EQ(count_processors("0"), 1U);
    EXPECT_EQ(count_processors("0-1"), 2U);
    EXPECT_EQ(count_processors("0-3,64-67,130"), 9U);
}

TEST(CacheSize, of_no_list_counts_none) {
    for (const char* list : {"", "a", "0-", "3-1", "0,", "0 1", "-1", "99999999999999999999"}) {
        EXPECT_EQ(count_processors(list), 0U) << list;
    }
}

TEST(CacheSize, a_second_level_cache_is_never_of_no_size) {
    EXPECT_GT(l2_cache_bytes(), 0U);
}

} // namespace
} // namespace sluice::cpu
