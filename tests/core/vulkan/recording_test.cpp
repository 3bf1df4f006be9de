// SPDX-License-Identifier: Apache-2.0
// Recordings: results in the order of the commands, barriers exactly where they are needed.
#include <array>

#include <gtest/gtest.h>

#include "core/vulkan/hazards.h"
#include "tests/core/vulkan/words.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/vulkan_device.h"

namespace sluice::vulkan {
namespace {

using testing::must;

class RecordingOnDevice : public testing::VulkanTest {};

constexpr std::size_t kCount = 1000; // no multiple of the workgroup

Words mapped(const Words& words, std::uint32_t scale, std::uint32_t offset) {
    Words out(words);
    for (std::uint32_t& word : out) {
        word = word * scale + offset;
    }
    return out;
}

TEST_F(RecordingOnDevice, runs_dependent_dispatches_in_order) {
    const Words words = counting(kCount, 7);
    const Buffer a = buffer_of(device_, words);
    const Buffer b = must(Buffer::create(device_, kCount * 4, Placement::Device));
    const Buffer c = must(Buffer::create(device_, kCount * 4, Placement::Download));
    Recording recording = must(Recording::create(device_));
    must(linear(recording, whole(a), whole(b), 3, 1)); // b = 3a + 1
    must(linear(recording, whole(b), whole(c), 5, 2)); // reads what was written
    must(linear(recording, whole(c), whole(b), 1, 9)); // writes what was read
    must(recording.copy(whole(b), whole(c)));          // and both
    must(recording.finish());
    EXPECT_EQ(recording.counts().dispatches, 3U);
    EXPECT_EQ(recording.counts().copies, 1U);
    EXPECT_EQ(recording.counts().barriers, 3U + 2U);
    EXPECT_EQ(recording.counts().bytes_moved, (3U + 1U) * 2U * kCount * 4U);
    must(recording.run());
    EXPECT_EQ(read_words(c.mapped()), mapped(words, 15, 5 + 2 + 9));
}

TEST_F(RecordingOnDevice, needs_no_barrier_between_independent_dispatches) {
    const Words words = counting(kCount);
    const Buffer a = buffer_of(device_, words);
    // Parts of one buffer that do not overlap are independent too.
    const std::size_t part = 4096;
    const Buffer out = must(Buffer::create(device_, 3 * part, Placement::Download));
    const auto range = [&](std::size_t i) {
        return BufferRange{.buffer = out.get(), .offset = i * part, .bytes = kCount * 4};
    };
    Recording recording = must(Recording::create(device_));
    for (std::uint32_t i = 0; i < 3; ++i) {
        must(linear(recording, whole(a), range(i), i + 1, i));
    }
    must(recording.finish());
    EXPECT_EQ(recording.counts().barriers, 2U);
    must(recording.run());
    for (std::uint32_t i = 0; i < 3; ++i) {
        const auto bytes = out.mapped().subspan(i * part, kCount * 4);
        EXPECT_EQ(read_words(bytes), mapped(words, i + 1, i)) << i;
    }
}

TEST_F(RecordingOnDevice, submits_again_after_what_was_submitted_before) {
    const Buffer a = buffer_of(device_, Words(kCount, 1), Placement::Download);
    const Buffer b = must(Buffer::create(device_, kCount * 4, Placement::Device));
    Recording recording = must(Recording::create(device_));
    must(linear(recording, whole(a), whole(b), 2, 1)); // a = 2a + 1, by way of b
    must(recording.copy(whole(b), whole(a)));
    must(recording.finish());
    std::uint64_t last = 0;
    for (int i = 0; i < 20; ++i) {
        last = must(recording.submit()).value;
    }
    must(device_->wait(last));
    EXPECT_TRUE(device_->reached(last));
    EXPECT_EQ(device_->last_submitted(), last);
    EXPECT_EQ(read_words(a.mapped()), Words(kCount, (2U << 20U) - 1));
}

TEST_F(RecordingOnDevice, orders_different_recordings) {
    const Buffer a = buffer_of(device_, Words(kCount, 5), Placement::Download);
    const Buffer b = must(Buffer::create(device_, kCount * 4, Placement::Device));
    Recording there = must(Recording::create(device_));
    must(linear(there, whole(a), whole(b), 2, 0));
    must(there.finish());
    Recording back = must(Recording::create(device_));
    must(linear(back, whole(b), whole(a), 1, 1));
    must(back.finish());
    std::uint32_t expected = 5;
    for (int i = 0; i < 10; ++i) {
        std::ignore = must(there.submit());
        std::ignore = must(back.submit());
        expected = 2 * expected + 1;
    }
    must(device_->wait(device_->last_submitted()));
    EXPECT_EQ(read_words(a.mapped()), Words(kCount, expected));
}

TEST_F(RecordingOnDevice, fills_words) {
    const Buffer a = buffer_of(device_, Words(8, 0), Placement::Download);
    Recording recording = must(Recording::create(device_));
    must(recording.fill(whole(a), 0xABCD0123));
    must(recording.fill({.buffer = a.get(), .offset = 8, .bytes = 4}, 6));
    must(recording.finish());
    must(recording.run());
    Words expected(8, 0xABCD0123);
    expected[2] = 6;
    EXPECT_EQ(read_words(a.mapped()), expected);
}

// What the driver allocates when it is given the same commands by hand, and waited for.
std::uint64_t driver_allocations(const Device& device, VkCommandBuffer commands) {
    const VolkDeviceTable& table = device.table();
    VkQueue queue = VK_NULL_HANDLE;
    table.vkGetDeviceQueue(device.handle(), device.queue_family(), 0, &queue);
    const VkSemaphoreTypeCreateInfo type{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &type,
    };
    VkSemaphore timeline = VK_NULL_HANDLE;
    EXPECT_EQ(table.vkCreateSemaphore(device.handle(), &info, nullptr, &timeline), VK_SUCCESS);
    const auto owner = device.own<SemaphoreHandle>(timeline);
    std::uint64_t counted = 0;
    for (std::uint64_t value = 1; value <= 2; ++value) { // the second time counts
        const std::uint64_t before = testing::allocation_count();
        const VkTimelineSemaphoreSubmitInfo values{
            .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
            .signalSemaphoreValueCount = 1,
            .pSignalSemaphoreValues = &value,
        };
        const VkSubmitInfo submit{
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
            .pNext = &values,
            .commandBufferCount = 1,
            .pCommandBuffers = &commands,
            .signalSemaphoreCount = 1,
            .pSignalSemaphores = &timeline,
        };
        EXPECT_EQ(table.vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE), VK_SUCCESS);
        const VkSemaphoreWaitInfo wait{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
            .semaphoreCount = 1,
            .pSemaphores = &timeline,
            .pValues = &value,
        };
        EXPECT_EQ(table.vkWaitSemaphores(device.handle(), &wait, UINT64_MAX), VK_SUCCESS);
        counted = testing::allocation_count() - before;
    }
    table.vkDeviceWaitIdle(device.handle());
    return counted;
}

TEST_F(RecordingOnDevice, submission_allocates_nothing_beside_the_driver) {
    if (!testing::can_count_allocations() || Device::validated()) {
        GTEST_SKIP() << "sanitizers and the validation layer allocate";
    }
    Recording recording = must(Recording::create(device_));
    must(recording.finish());
    must(recording.run());
    const std::uint64_t by_hand = driver_allocations(*device_, recording.commands());
    const std::uint64_t before = testing::allocation_count();
    must(recording.run());
    EXPECT_EQ(testing::allocation_count() - before, by_hand);
}

TEST_F(RecordingOnDevice, keeps_objects_until_the_device_is_done) {
    const Words words = counting(1U << 16U);
    const Buffer a = buffer_of(device_, words);
    const Buffer b = must(Buffer::create(device_, words.size() * 4, Placement::Download));
    std::uint64_t value = 0;
    {
        Recording recording = must(Recording::create(device_));
        must(linear(recording, whole(a), whole(b), 1, 1));
        must(recording.finish());
        value = must(recording.submit()).value;
    }
    must(device_->wait(value));
    EXPECT_EQ(read_words(b.mapped()), mapped(words, 1, 1));
}

TEST_F(RecordingOnDevice, stays_within_the_bound_range) {
    // The shader is told of more elements than the buffers have: robust access keeps it inside.
    const Buffer a = buffer_of(device_, counting(64));
    const Buffer b = buffer_of(device_, Words(64, 0), Placement::Download);
    struct Push {
        std::uint32_t count;
        std::uint32_t offset;
    };
    const std::array constants{kGroup, 1U};
    const std::array buffers{Binding{.range = whole(a), .access = Access::Read},
                             Binding{.range = whole(b), .access = Access::Write}};
    Recording recording = must(Recording::create(device_));
    must(recording.dispatch({.shader = Shader::LinearWords,
                             .constants = constants,
                             .buffers = buffers,
                             .push = push_bytes(Push{.count = 1U << 20U, .offset = 0}),
                             .groups = {1U << 14U, 1, 1}}));
    must(recording.finish());
    must(recording.run());
    EXPECT_EQ(read_words(a.mapped()), counting(64));
}

TEST_F(RecordingOnDevice, refuses_what_the_device_cannot_bind) {
    const Buffer a = must(Buffer::create(device_, 4096, Placement::Device));
    const auto message = [&](const Dispatch& dispatch) {
        Recording recording = must(Recording::create(device_));
        const Status status = recording.dispatch(dispatch);
        EXPECT_FALSE(status);
        return status ? std::string() : status.error().message;
    };
    const std::array odd{Binding{.range = {.buffer = a.get(), .offset = 2, .bytes = 8}}};
    EXPECT_NE(message({.buffers = odd}).find("offset 2 is not aligned"), std::string::npos);
    const std::array none{Binding{}};
    EXPECT_NE(message({.buffers = none}).find("binding 0 has no buffer"), std::string::npos);
    const std::array<Binding, kMaxBindings + 1> many{};
    EXPECT_NE(message({.buffers = many}).find("9 buffers, at most 8"), std::string::npos);
    const std::array<std::byte, kPushBytes + 4> push{};
    EXPECT_NE(message({.push = push}).find("132 bytes of push"), std::string::npos);
    EXPECT_NE(message({.groups = {0, 1, 1}}).find("0 x 1 x 1 workgroups"), std::string::npos);

    Recording recording = must(Recording::create(device_));
    EXPECT_FALSE(recording.submit());
    EXPECT_FALSE(recording.fill({.buffer = a.get(), .offset = 0, .bytes = 6}, 0));
    must(recording.finish());
    EXPECT_FALSE(recording.finish());
    EXPECT_FALSE(recording.fill(whole(a), 0));
}

BufferRange range(std::size_t offset, std::size_t bytes, std::uintptr_t buffer = 1) {
    return {.buffer = reinterpret_cast<VkBuffer>(buffer), .offset = offset, .bytes = bytes};
}

TEST(Hazards, are_between_overlapping_ranges_one_of_which_is_written) {
    Hazards hazards;
    hazards.add({.range = range(0, 16), .reads = true});
    hazards.add({.range = range(16, 16), .writes = true});
    EXPECT_FALSE(hazards.conflicts({.range = range(0, 16), .reads = true}));
    EXPECT_TRUE(hazards.conflicts({.range = range(15, 1), .writes = true}));
    EXPECT_TRUE(hazards.conflicts({.range = range(0, 17), .reads = true}));
    EXPECT_TRUE(hazards.conflicts({.range = range(31, 100), .reads = true}));
    EXPECT_FALSE(hazards.conflicts({.range = range(32, 100), .writes = true}));
    EXPECT_FALSE(hazards.conflicts({.range = range(0, 32, 2), .writes = true}));
    hazards.clear();
    EXPECT_FALSE(hazards.conflicts({.range = range(0, 32), .writes = true}));
}

TEST(Hazards, are_between_uses_of_one_image) {
    const auto image = [](std::uintptr_t value) { return reinterpret_cast<VkImage>(value); };
    Hazards hazards;
    hazards.add({.image = image(1), .reads = true});
    hazards.add({.image = image(2), .writes = true});
    EXPECT_FALSE(hazards.conflicts({.image = image(1), .reads = true}));
    EXPECT_TRUE(hazards.conflicts({.image = image(1), .writes = true}));
    EXPECT_TRUE(hazards.conflicts({.image = image(2), .reads = true}));
    EXPECT_FALSE(hazards.conflicts({.image = image(3), .writes = true}));
    EXPECT_FALSE(hazards.conflicts({.range = range(0, 8), .writes = true}));
}

} // namespace
} // namespace sluice::vulkan
