// SPDX-License-Identifier: Apache-2.0
// Near misses are found, far ones are not.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "pipelines/cli/suggest.h"

namespace sluice::cli {
namespace {

const std::array<std::string, 6> kWords{"run", "infer", "bench", "models", "--device", "--json"};

TEST(Suggest, finds_what_was_probably_meant) {
    EXPECT_EQ(closest("modles", kWords), "models"); // two letters swapped
    EXPECT_EQ(closest("model", kWords), "models");  // one missing
    EXPECT_EQ(closest("runn", kWords), "run");      // one too many
    EXPECT_EQ(closest("--divice", kWords), "--device");
    EXPECT_EQ(closest("--dev", kWords), "--device"); // the beginning
    EXPECT_EQ(closest("run", kWords), "run");
}

TEST(Suggest, stays_silent_where_nothing_is_near) {
    EXPECT_EQ(closest("xyzzy", kWords), std::nullopt);
    EXPECT_EQ(closest("", kWords), std::nullopt);
    EXPECT_EQ(closest("abc", {}), std::nullopt);
    EXPECT_EQ(did_you_mean("xyzzy", kWords), "");
}

TEST(Suggest, makes_half_a_sentence) {
    EXPECT_EQ(did_you_mean("bensh", kWords), "; did you mean 'bench'?");
}

} // namespace
} // namespace sluice::cli
