// SPDX-License-Identifier: Apache-2.0
// The shared pool: coverage of ranges, concurrent callers, sharing.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/thread_pool.h"

namespace sluice::runtime {
namespace {

TEST(ThreadPool, visits_every_item_once_for_any_grain) {
    for (const unsigned threads : {1U, 2U, 5U}) {
        ThreadPool pool(threads);
        for (const std::size_t count : {0U, 1U, 7U, 100U, 1009U}) {
            for (const std::size_t grain : {0U, 1U, 3U, 64U, 5000U}) {
                std::vector<std::atomic<int>> visits(count);
                pool.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) {
                        ++visits[i];
                    }
                });
                for (const auto& visit : visits) {
                    ASSERT_EQ(visit.load(), 1) << threads << " " << count << " " << grain;
                }
            }
        }
    }
}

TEST(ThreadPool, serves_several_callers_at_once) {
    ThreadPool pool(3);
    std::atomic<std::size_t> sum = 0;
    std::vector<std::thread> callers;
    callers.reserve(4);
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                pool.parallel_for(100, 7,
                                  [&](std::size_t begin, std::size_t end) { sum += end - begin; });
            }
        });
    }
    for (auto& caller : callers) {
        caller.join();
    }
    EXPECT_EQ(sum.load(), 4U * 50U * 100U);
}

TEST(ThreadPool, runs_short_loops_in_a_row) {
    ThreadPool pool(4);
    for (int round = 0; round < 20000; ++round) {
        std::size_t begins[8] = {}; // of this round only: no late worker may touch the next one's
        pool.parallel_for(8, 1, [&](std::size_t begin, std::size_t end) { begins[begin] += end; });
        for (std::size_t i = 0; i < 8; ++i) {
            ASSERT_EQ(begins[i], i + 1) << "round " << round;
        }
    }
}

TEST(ThreadPool, wakes_workers_that_slept) {
    ThreadPool pool(2);
    for (int round = 0; round < 20; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::atomic<int> begun = 0;
        pool.parallel_for(2, 1, [&](std::size_t, std::size_t) {
            // Only two threads at a time get past this.
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
            ++begun;
            while (begun < 2 && std::chrono::steady_clock::now() < end) {
                std::this_thread::yield();
            }
        });
        ASSERT_EQ(begun.load(), 2);
    }
}

TEST(ThreadPool, gives_each_thread_the_same_part_of_every_loop) {
    ThreadPool pool(3);
    const std::size_t pieces =
        pool.threads(); // as many as threads: each waits for the others in one
    std::vector<std::thread::id> owners(pieces);
    for (int round = 0; round < 100; ++round) {
        std::vector<std::thread::id> here(pieces);
        std::atomic<std::size_t> begun = 0;
        pool.parallel_for(pieces, 1, [&](std::size_t begin, std::size_t) {
            here[begin] = std::this_thread::get_id();
            ++begun;
            while (begun < pieces) {
                std::this_thread::yield();
            }
        });
        if (round == 0) {
            owners = here;
        }
        ASSERT_EQ(here, owners) << "round " << round;
    }
    EXPECT_EQ(owners[0], std::this_thread::get_id());
}

TEST(ThreadPool, is_shared_by_those_who_ask_for_the_same_size) {
    const auto first = ThreadPool::shared(2);
    EXPECT_EQ(first, ThreadPool::shared(2));
    EXPECT_NE(first, ThreadPool::shared(3));
    EXPECT_EQ(first->threads(), 2U);
}

} // namespace
} // namespace sluice::runtime
