// SPDX-License-Identifier: Apache-2.0
// What a device is asked to make, frame by frame: nothing for frames of a pool, little for others.
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/allocation_counter.h"
#include "tests/support/vulkan_watch.h"
#include "tests/zero_copy/doubling_network.h"
#include "tests/zero_copy/shared_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

class DeviceSteadyState : public VulkanTest {
protected:
    void SetUp() override {
        VulkanTest::SetUp();
        if (device_) {
            ASSERT_TRUE(vulkan_watch::works()) << "the loader did not find the layer";
            network_ = std::make_unique<DoublingNetwork>(must(DoublingNetwork::create()));
        }
    }
    void TearDown() override {
        network_.reset();
        VulkanTest::TearDown();
    }

    std::unique_ptr<DoublingNetwork> network_;
    CopyLedger ledger_;
};

struct Pool {
    explicit Pool(SharedFrame::As as) {
        for (int i = 0; i < 4; ++i) {
            TestFrame frame(DoublingNetwork::kFormat, 0);
            fill_grey(frame, 40 * (i + 1));
            memories.push_back(std::make_unique<SharedFrame>(frame, as));
            frames.push_back(memories.back()->frame());
        }
    }
    std::vector<std::unique_ptr<SharedFrame>> memories;
    std::vector<ExternalFrame> frames;
};

} // namespace

TEST(AllocationsOfOurs, are_seen) {
    if (!can_count_allocations()) {
        GTEST_SKIP() << "a sanitizer's allocator cannot be counted";
    }
    OwnAllocations own;
    own.start();
    const std::vector<int> here(100, 7);
    own.stop();
    EXPECT_EQ(own.count(), 1U) << own.describe();
    EXPECT_EQ(here[99], 7);
}

TEST_F(DeviceSteadyState, makes_nothing_for_the_frames_of_a_pool) {
    for (const auto as : {SharedFrame::As::Memfd, SharedFrame::As::DmaBuf, SharedFrame::As::Host}) {
        const Pool pool(as);
        OwnAllocations own;
        std::uint64_t calls = 0;
        std::uint64_t submissions = 0;
        for (std::size_t i = 0; i < 40; ++i) {
            if (i == pool.frames.size()) {
                calls = vulkan_watch::making_calls();
                submissions = vulkan_watch::calls("vkQueueSubmit");
                own.start();
            }
            const Status ran = network_->run(pool.frames[i % pool.frames.size()], ledger_);
            ASSERT_TRUE(ran) << ran.error().message;
            ASSERT_TRUE(network_->saw(40 * static_cast<int>((i % 4) + 1))) << i;
        }
        own.stop();
        EXPECT_EQ(vulkan_watch::making_calls(), calls) << vulkan_watch::list();
        EXPECT_EQ(vulkan_watch::calls("vkQueueSubmit") - submissions, 2U * 36U);
        EXPECT_EQ(own.count(), 0U) << own.describe();
        if (can_count_allocations()) {
            EXPECT_GT(own.looked_at(), 0U) << "the witness sees nothing";
        }
    }
}

TEST_F(DeviceSteadyState, keeps_what_was_made_for_other_memory_than_that_which_is_gone) {
    const Pool pool(SharedFrame::As::Host);
    for (const ExternalFrame& frame : pool.frames) {
        must(network_->run(frame, ledger_));
    }
    EXPECT_EQ(network_->runner().recordings(), 4U);
    network_->runner().forget(pool.frames[2].memories()[0].identity);
    EXPECT_EQ(network_->runner().imports().size(), 3U);
    for (const ExternalFrame& frame : pool.frames) {
        must(network_->run(frame, ledger_));
    }
    EXPECT_EQ(network_->runner().recordings(), 5U);
}

// A producer that takes new memory for each frame: it is imported, and the frame's part recorded,
// but not the network; and nothing of it is left when the memory is gone.
TEST_F(DeviceSteadyState, makes_a_fixed_number_of_things_for_memory_that_is_new_each_time) {
    if (!device_->profile().import_host_pointer) {
        GTEST_SKIP() << device_->profile().name << " imports no plain memory";
    }
    for (const bool named : {true, false}) {
        TestFrame frame(DoublingNetwork::kFormat, 0);
        std::int64_t alive = 0;
        std::uint64_t calls = 0;
        for (int i = 0; i < 12; ++i) {
            fill_grey(frame, 20 * i);
            const SharedFrame memory(frame, SharedFrame::As::Host);
            FrameMemory host = memory.frame().memories()[0];
            host.identity = {.device = 0, .inode = named ? 1000U + static_cast<unsigned>(i) : 0U};
            const ExternalFrame given =
                must(ExternalFrame::create(DoublingNetwork::kFormat, kLinearModifier,
                                           memory.frame().planes(), std::span(&host, 1)));
            const std::uint64_t before = vulkan_watch::making_calls();
            const std::uint64_t sets = vulkan_watch::calls("vkUpdateDescriptorSets");
            must(network_->run(given, ledger_));
            ASSERT_TRUE(network_->saw(20 * i)) << i;
            if (named) {
                network_->runner().forget(host.identity);
            }
            if (i > 0) {
                // One dispatch: the sampler's.
                EXPECT_EQ(vulkan_watch::calls("vkUpdateDescriptorSets") - sets, 1U);
            }
            if (i == 2) {
                alive = vulkan_watch::alive();
                calls = vulkan_watch::making_calls() - before;
            } else if (i > 2) {
                EXPECT_EQ(vulkan_watch::alive(), alive) << i;
                EXPECT_EQ(vulkan_watch::making_calls() - before, calls) << i;
            }
        }
        EXPECT_LE(calls, 16U);
        EXPECT_EQ(ledger_.total_bytes(), 0U);
    }
}

} // namespace sluice::testing
