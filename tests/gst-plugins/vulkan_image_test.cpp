// SPDX-License-Identifier: Apache-2.0
// memory:VulkanImage: frames that libgstvulkan has brought to its device are read there.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/gst-plugins/vulkan_frames.h"

namespace sluice::testing {
namespace {

TEST_F(VulkanImages, are_searched_for_faces_where_they_lie) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    for (const char* format : {"NV12", "RGBA", "BGRx"}) {
        const std::string caps = video_caps(format, 512, 512);
        const Ref still = picture_frame(*picture, caps);
        Harness cpu("sluicefacedetect", on("cpu"));
        cpu.set_caps(caps);
        const auto wanted = faces_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
        ASSERT_EQ(wanted.size(), 1U) << format;
        const Ref empty = make_frame(caps);
        ImageLine line("vulkanupload ! " + on_device_as("sluicefacedetect"), caps);
        // Other pixels in images that come again: they are looked at, not remembered.
        for (const bool face : {true, false, true, true, false}) {
            const Ref out = line.run(face ? still : empty);
            ASSERT_TRUE(out) << format;
            ASSERT_TRUE(gst_memory_is_type(gst_buffer_peek_memory(out.get(), 0), "VulkanImage"))
                << format << ": vulkanupload gave other memory";
            expect_same(faces_of(out.get()), face ? wanted : std::vector<Found>{});
        }
        EXPECT_EQ(line.stat("inferences"), 5U);
        EXPECT_EQ(line.stat("copied-bytes"), 0U) << format;
    }
}

TEST_F(VulkanImages, go_on_with_the_pixels_that_they_came_with) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("RGBA", 512, 512);
    const Ref still = picture_frame(*picture, caps);
    ImageLine line("vulkanupload ! " + on_device_as("sluicefacedetect") + " ! vulkandownload",
                   caps);
    for (const bool face : {true, false, true}) {
        const Ref frame = face ? Ref(gst_buffer_ref(still.get())) : make_frame(caps);
        const Ref out = line.run(frame);
        ASSERT_TRUE(out);
        EXPECT_EQ(pixels(out.get(), caps), pixels(frame.get(), caps));
    }
    EXPECT_EQ(line.stat("inferences"), 3U);
    EXPECT_EQ(line.stat("copied-bytes"), 0U);
}

TEST_F(VulkanImages, are_segmented_where_they_lie) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    const std::string caps = video_caps("NV12", 512, 512);
    const Ref still = picture_frame(*picture, caps);
    Harness cpu("sluicesegment", on("cpu"));
    cpu.set_caps(caps);
    const auto wanted = matte_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_FALSE(wanted.empty());
    ImageLine line("vulkanupload ! " + on_device_as("sluicesegment"), caps);
    for (int i = 0; i < 3; ++i) {
        const Ref out = line.run(still);
        ASSERT_TRUE(out);
        const auto matte = matte_of(out.get());
        ASSERT_EQ(matte.size(), wanted.size());
        for (std::size_t k = 0; k < matte.size(); ++k) {
            ASSERT_NEAR(matte[k], wanted[k], 2) << "at " << k;
        }
    }
    EXPECT_EQ(line.stat("copied-bytes"), 0U);
    EXPECT_EQ(line.stat("inferences"), 3U);
}

TEST_F(VulkanImages, go_through_any_network_where_they_lie) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string infer = "sluiceinfer model=" + model->string();
    for (const char* format : {"NV12", "BGRA"}) {
        SCOPED_TRACE(format);
        const std::string caps = video_caps(format, 512, 512);
        const Ref still = picture_frame(*picture, caps);
        ImageLine cpu(infer + " name=it device=cpu", caps);
        const auto wanted = tensors_of(cpu.run(still).get());
        ASSERT_FALSE(wanted.empty());
        ImageLine line("vulkanupload ! " + on_device_as(infer), caps);
        for (int i = 0; i < 2; ++i) {
            const Ref out = line.run(still);
            ASSERT_TRUE(out);
            const auto got = tensors_of(out.get());
            ASSERT_EQ(got.size(), wanted.size());
            for (std::size_t k = 0; k < got.size(); ++k) {
                ASSERT_NEAR(got[k], wanted[k], 2e-3F * std::max(1.0F, std::abs(wanted[k])))
                    << "value " << k;
            }
        }
        EXPECT_EQ(line.stat("inferences"), 2U);
        EXPECT_EQ(line.stat("copied-bytes"), 0U);
    }
}

// Nothing of theirs is destroyed with us, nor ours with them.
TEST_F(VulkanImages, can_be_taken_up_again_and_again) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("NV12", 512, 512);
    const Ref still = picture_frame(*picture, caps);
    Ref<GstBuffer> kept;
    for (int i = 0; i < 3; ++i) {
        ImageLine line("vulkanupload ! " + on_device_as("sluicefacedetect"), caps);
        kept = line.run(still);
        ASSERT_TRUE(kept);
        EXPECT_EQ(faces_of(kept.get()).size(), 1U);
    }
}

} // namespace
} // namespace sluice::testing
