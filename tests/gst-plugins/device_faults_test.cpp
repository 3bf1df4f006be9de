// SPDX-License-Identifier: Apache-2.0
// A device that fails under a running pipeline: one error on the bus, and nothing left behind.
#include <array>
#include <format>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/support/vulkan_watch.h"

namespace sluice::testing {
namespace {

struct Fault {
    const char* call;
    VkResult result;
    bool stays;
    const char* word; // that the message has
};
constexpr Fault kFaults[]{
    {"vkQueueSubmit", VK_ERROR_DEVICE_LOST, true, "lost"},
    {"vkWaitSemaphores", VK_ERROR_DEVICE_LOST, true, "lost"},
    {"vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY, true, "memory"},
};

// Not through VulkanElements, which takes a loss in the log for a failure.
class FailingDevice : public VulkanTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(FailingDevice, is_one_error_of_the_pipeline) {
    SLUICE_NEED(faces, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(people, model_file("selfie-segmentation-landscape.tflite"));
    SLUICE_NEED(larger, model_file("anime4k-x2-s-rl.json"));
    ASSERT_TRUE(vulkan_watch::works()) << "the loader did not find the layer";
    const std::string device = "vulkan:" + vulkan_selector();
    const std::string line =
        std::format("videotestsrc num-buffers=6 ! video/x-raw,format=NV12,width=160,height=90 ! "
                    "{} ! fakesink",
                    std::vformat(GetParam(), std::make_format_args(device)));
    device_.reset();
    ASSERT_TRUE(run_pipeline(line, 100).eos); // what is made once for the process is made
    const std::int64_t alive = vulkan_watch::alive();
    for (const Fault& fault : kFaults) {
        for (const std::uint64_t nth : {1U, 5U}) {
            SCOPED_TRACE(std::format("{} number {}", fault.call, nth));
            bool happened = false;
            Outcome outcome;
            {
                const VulkanFault injected(fault.call, nth, fault.result, fault.stays);
                outcome = run_pipeline(line, 100);
                happened = injected.happened();
            }
            EXPECT_FALSE(outcome.timed_out);
            EXPECT_EQ(vulkan_watch::alive(), alive);
            if (!happened) {
                EXPECT_TRUE(outcome.eos);
                continue;
            }
            // Memory that cannot be imported can still be read by way of the host.
            if (outcome.eos && std::string(fault.word) == "memory") {
                continue;
            }
            // The source then says that the stream has stopped.
            std::erase_if(outcome.errors,
                          [](const auto& error) { return !error.first.starts_with("sluice"); });
            ASSERT_EQ(outcome.errors.size(), 1U);
            EXPECT_NE(outcome.errors[0].second.find(fault.word), std::string::npos)
                << outcome.errors[0].second;
        }
    }
    EXPECT_TRUE(run_pipeline(line, 100).eos);
    EXPECT_EQ(vulkan_watch::alive(), alive);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, FailingDevice,
    ::testing::Values("sluicefacedetect qos=false device={0} ! sluiceredact device={0}",
                      "sluicesegment qos=false device={0} ! sluicebackground device={0}",
                      "sluicesuperres qos=false device={0}",
                      "sluiceinfer qos=false model=face-detection-short-range device={0}"));

} // namespace
} // namespace sluice::testing
