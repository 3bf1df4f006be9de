// SPDX-License-Identifier: Apache-2.0
// Every call that may fail is made to fail, one after the other: one clear error or the right
// result by another way, nothing left behind, and silence of the validation layer.
#include <array>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/vulkan_watch.h"
#include "tests/zero_copy/doubling_network.h"
#include "tests/zero_copy/shared_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

struct Fault {
    const char* call; // and all whose names begin so
    VkResult result;
    bool stays;
    ErrorCode code; // of what the user is told
};
constexpr Fault kFaults[]{
    {"vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY, true, ErrorCode::OutOfMemory},
    {"vkAllocateCommandBuffers", VK_ERROR_OUT_OF_HOST_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkAllocateDescriptorSets", VK_ERROR_OUT_OF_DEVICE_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkCreate", VK_ERROR_OUT_OF_HOST_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkBind", VK_ERROR_OUT_OF_DEVICE_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkMapMemory", VK_ERROR_OUT_OF_HOST_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkBeginCommandBuffer", VK_ERROR_OUT_OF_HOST_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkEndCommandBuffer", VK_ERROR_OUT_OF_DEVICE_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkGetMemory", VK_ERROR_INVALID_EXTERNAL_HANDLE, true, ErrorCode::Unsupported},
    {"vkQueueSubmit", VK_ERROR_OUT_OF_DEVICE_MEMORY, false, ErrorCode::OutOfMemory},
    {"vkQueueSubmit", VK_ERROR_DEVICE_LOST, true, ErrorCode::DeviceLost},
    {"vkQueueSubmit", VK_ERROR_DEVICE_LOST, false, ErrorCode::DeviceLost},
    {"vkWaitSemaphores", VK_ERROR_DEVICE_LOST, true, ErrorCode::DeviceLost},
};

void PrintTo(const Fault& fault, std::ostream* out) {
    *out << fault.call << " gives " << fault.result << (fault.stays ? " from then on" : " once");
}

class DeviceFaults : public VulkanTest, public ::testing::WithParamInterface<Fault> {};

constexpr std::array kKinds{SharedFrame::As::Memfd, SharedFrame::As::Host,
                            SharedFrame::As::UnknownHost};

// Opens the device, compiles, and runs frames that are imported in every way.
Status whole_life() {
    SLUICE_TRY_ASSIGN(DoublingNetwork network, DoublingNetwork::create());
    CopyLedger ledger;
    int code = 0;
    for (const SharedFrame::As as : kKinds) {
        TestFrame frame(DoublingNetwork::kFormat, 0);
        fill_grey(frame, code += 50);
        const SharedFrame memory(frame, as, 64);
        SLUICE_TRY(network.run(memory.frame(), ledger));
        EXPECT_TRUE(network.saw(code)) << "stale or wrong pixels of frame " << code;
    }
    return {};
}

} // namespace

TEST_P(DeviceFaults, are_told_once_and_leave_nothing) {
    ASSERT_TRUE(vulkan_watch::works()) << "the loader did not find the layer";
    log::set_sink(nullptr); // losses are logged, which is no news here
    const Fault& fault = GetParam();
    device_.reset(); // each life opens its own
    const std::int64_t alive = vulkan_watch::alive();
    std::uint64_t told = 0;
    std::uint64_t nth = 1;
    for (; nth < 500; ++nth) {
        bool happened = false;
        Status lived;
        {
            const VulkanFault injected(fault.call, nth, fault.result, fault.stays);
            lived = whole_life();
            happened = injected.happened();
        }
        ASSERT_EQ(vulkan_watch::alive(), alive) << "left behind by failure " << nth;
        if (!happened) {
            EXPECT_TRUE(lived) << lived.error().message;
            break;
        }
        if (!lived) {
            ++told;
            EXPECT_EQ(lived.error().code, fault.code) << nth << ": " << lived.error().message;
            EXPECT_FALSE(lived.error().message.empty());
        }
    }
    EXPECT_GT(nth, 1U) << "nothing calls " << fault.call;
    EXPECT_LT(nth, 500U);
    if (fault.code != ErrorCode::Unsupported) {
        EXPECT_GT(told, 0U) << "no failure of " << fault.call << " was noticed";
    }
    // And then all is well.
    const Status after = whole_life();
    EXPECT_TRUE(after) << after.error().message;
    EXPECT_EQ(vulkan_watch::alive(), alive);
}

INSTANTIATE_TEST_SUITE_P(Calls, DeviceFaults, ::testing::ValuesIn(kFaults));

} // namespace sluice::testing
