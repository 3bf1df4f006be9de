// SPDX-License-Identifier: Apache-2.0
// The fixture of elements on a Vulkan device.
#pragma once

#include <functional>
#include <string>

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/support/vulkan_device.h"

namespace sluice::testing {

// An error in the plugin's log fails the test: the validation layer's words arrive there.
inline void watch_log(GstDebugCategory* category, GstDebugLevel level, const gchar* /*file*/,
                      const gchar* /*function*/, gint /*line*/, GObject* /*object*/,
                      GstDebugMessage* message, gpointer /*data*/) {
    if (level == GST_LEVEL_ERROR &&
        gst_debug_category_get_name(category) == std::string("sluice")) {
        ADD_FAILURE() << gst_debug_message_get(message);
    }
}

class VulkanElements : public VulkanTest {
protected:
    void SetUp() override {
        VulkanTest::SetUp();
        gst_debug_add_log_function(watch_log, nullptr, nullptr);
        gst_debug_set_threshold_for_name("sluice", GST_LEVEL_ERROR);
    }
    void TearDown() override {
        gst_debug_remove_log_function(watch_log);
        VulkanTest::TearDown();
    }

    static std::function<void(GstElement*)> on(const std::string& device) {
        return [device](GstElement* element) {
            g_object_set(element, "device", device.c_str(), "require-zero-copy", TRUE, nullptr);
        };
    }
    static std::function<void(GstElement*)> on_device() {
        return on("vulkan:" + vulkan_selector());
    }
    [[nodiscard]] bool takes_plain_memory() const { return device_->profile().import_host_pointer; }
    [[nodiscard]] bool takes_memfds() const {
        return device_->profile().type == vulkan::DeviceType::Software &&
               device_->profile().import_dma_buf;
    }
};

#define SLUICE_NEED_MEMFDS()                                                                       \
    if (!takes_memfds()) {                                                                         \
        GTEST_SKIP() << device_->profile().name << " imports dmabufs only, and a memfd is none";   \
    }

inline GstVideoInfo info_of(const std::string& text) {
    const Ref caps(gst_caps_from_string(text.c_str()));
    GstVideoInfo info;
    EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
    return info;
}

} // namespace sluice::testing
