// SPDX-License-Identifier: Apache-2.0
// The memory plan's promises, on hand-made and on random lives.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "core/runtime/memory_plan.h"

namespace sluice::runtime {
namespace {

TEST(MemoryPlan, chain_needs_two_slots) {
    // a -> b -> c -> d: neighbours are alive together, others are not.
    const std::vector<TensorLife> lives{{.bytes = 64, .first = 0, .last = 1},
                                        {.bytes = 64, .first = 1, .last = 2},
                                        {.bytes = 64, .first = 2, .last = 3},
                                        {.bytes = 64, .first = 3, .last = 4}};
    const MemoryPlan plan = plan_memory(lives, 64);
    EXPECT_EQ(plan.arena_bytes, 128U);
    EXPECT_EQ(plan.unshared_bytes, 256U);
}

TEST(MemoryPlan, empty_plan_is_empty) {
    EXPECT_EQ(plan_memory({}, 64).arena_bytes, 0U);
}

TEST(MemoryPlan, random_lives_never_overlap_and_stay_within_bounds) {
    std::mt19937 random(20261122);
    for (int round = 0; round < 200; ++round) {
        std::vector<TensorLife> lives(1 + random() % 40);
        for (TensorLife& life : lives) {
            const std::size_t a = random() % 30;
            const std::size_t b = random() % 30;
            life = {.bytes = 1 + random() % 5000, .first = std::min(a, b), .last = std::max(a, b)};
        }
        const MemoryPlan plan = plan_memory(lives, 64);
        std::size_t peak = 0; // no plan can be smaller than what is alive at one step
        for (std::size_t step = 0; step < 30; ++step) {
            std::size_t alive = 0;
            for (const TensorLife& life : lives) {
                alive += life.first <= step && step <= life.last ? life.bytes : 0;
            }
            peak = std::max(peak, alive);
        }
        EXPECT_GE(plan.arena_bytes, peak) << "round " << round;
        EXPECT_LE(plan.arena_bytes, plan.unshared_bytes) << "round " << round;
        for (std::size_t i = 0; i < lives.size(); ++i) {
            EXPECT_EQ(plan.offsets[i] % 64, 0U);
            EXPECT_LE(plan.offsets[i] + lives[i].bytes, plan.arena_bytes);
            for (std::size_t j = 0; j < i; ++j) {
                const bool together =
                    lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
                const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                                   plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
                ASSERT_TRUE(!together || apart) << "round " << round << ": " << i << ", " << j;
            }
        }
    }
}

} // namespace
} // namespace sluice::runtime
