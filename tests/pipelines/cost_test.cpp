// SPDX-License-Identifier: Apache-2.0
// Percentiles by nearest rank.
#include <gtest/gtest.h>

#include "pipelines/cli/cost.h"

namespace sluice::cli {
namespace {

TEST(Percentile, is_the_nearest_rank) {
    const std::vector<double> samples{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    EXPECT_EQ(percentile(samples, 50), 5);
    EXPECT_EQ(percentile(samples, 95), 10);
    EXPECT_EQ(percentile(samples, 90), 9);
    EXPECT_EQ(percentile(samples, 0), 1);
    EXPECT_EQ(percentile({42}, 99), 42);
}

TEST(Process, accounts_grow) {
    EXPECT_GT(peak_rss_bytes(), 1024U * 1024U);
    EXPECT_GE(cpu_seconds(), 0.0);
}

} // namespace
} // namespace sluice::cli
