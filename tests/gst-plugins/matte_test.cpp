// SPDX-License-Identifier: Apache-2.0
// Masks that stay on the device: blended there without passing through the host, which still can
// read them.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/analytics.h"
#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"

namespace sluice::testing {
namespace {

constexpr const char* kFormat = "NV12";
constexpr int kSide = 512;
constexpr std::uint64_t kMaskBytes = 256 * 144; // of selfie-segmentation-landscape

Ref<GstBuffer> mask_of(GstBuffer* frame) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(frame);
    EXPECT_NE(meta, nullptr);
    gpointer state = nullptr;
    GstAnalyticsSegmentationMtd mtd;
    if (meta == nullptr ||
        gst_analytics_relation_meta_iterate(
            meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &mtd) == FALSE) {
        ADD_FAILURE() << "no mask";
        return {};
    }
    gint x = 0;
    gint y = 0;
    guint width = 0;
    guint height = 0;
    return Ref(gst_analytics_segmentation_mtd_get_mask(&mtd, &x, &y, &width, &height));
}

class MatteOnDevice : public VulkanElements {
protected:
    // One frame through both elements.
    static Ref<GstBuffer> through(Harness& people, Harness& background, Ref<GstBuffer> frame) {
        Ref segmented = people.run(std::move(frame));
        EXPECT_TRUE(segmented);
        return segmented ? background.run(std::move(segmented)) : Ref<GstBuffer>();
    }
    static std::function<void(GstElement*)> green(std::function<void(GstElement*)> setup) {
        return [setup = std::move(setup)](GstElement* element) {
            setup(element);
            gst_util_set_object_arg(G_OBJECT(element), "effect", "color");
            g_object_set(element, "color", 0xff00b140U, nullptr);
        };
    }
    const std::string caps_ = video_caps(kFormat, kSide, kSide);
};

TEST_F(MatteOnDevice, is_blended_there_and_never_visits_the_host) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const Ref still = picture_frame(*picture, caps_);
    Harness cpu_people("sluicesegment", on("cpu"));
    Harness cpu_background("sluicebackground", green(on("cpu")));
    Harness people("sluicesegment", on_device());
    Harness background("sluicebackground", green(on_device()));
    for (const Harness* one : {&cpu_people, &cpu_background, &people, &background}) {
        gst_harness_set_src_caps_str(one->get(), caps_.c_str());
    }
    const Ref wanted = through(cpu_people, cpu_background, Ref(gst_buffer_copy_deep(still.get())));
    ASSERT_TRUE(wanted);
    for (int i = 0; i < 4; ++i) {
        const Ref out = through(people, background,
                                in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps_)));
        ASSERT_TRUE(out);
        // The host's mask is rounded to 8 bits on its way, and the networks differ by rounding.
        EXPECT_LE(largest_difference(pixels(out.get(), caps_), pixels(wanted.get(), caps_)), 3);
        EXPECT_GT(largest_difference(pixels(out.get(), caps_), pixels(still.get(), caps_)), 50)
            << "nothing was blended";
    }
    EXPECT_EQ(people.stat("mask-bytes-download"), 0U);
    EXPECT_EQ(background.stat("mask-bytes-upload"), 0U);
    EXPECT_EQ(people.stat("copied-bytes"), 0U);
    EXPECT_EQ(background.stat("copied-bytes"), 0U);
}

TEST_F(MatteOnDevice, is_read_by_the_host_once_when_somebody_maps_it) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const Ref still = picture_frame(*picture, caps_);
    const auto frame = [&] {
        return in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps_));
    };
    Harness cpu("sluicesegment", on("cpu"));
    cpu.set_caps(caps_);
    const std::string mask_caps = video_caps("GRAY8", 256, 144);
    const Ref wanted = cpu.run(Ref(gst_buffer_copy_deep(still.get())));
    ASSERT_TRUE(wanted);
    Ref<GstBuffer> kept; // longer than the element
    {
        Harness people("sluicesegment", on_device());
        people.set_caps(caps_);
        for (std::uint64_t i = 1; i <= 3; ++i) {
            const Ref out = people.run(frame());
            ASSERT_TRUE(out);
            kept = mask_of(out.get());
            for (int again = 0; again < 2; ++again) {
                EXPECT_LE(largest_difference(pixels(kept.get(), mask_caps),
                                             pixels(mask_of(wanted.get()).get(), mask_caps)),
                          2);
            }
            EXPECT_EQ(people.stat("mask-bytes-download"), i * kMaskBytes);
        }
        // What the device reads cannot be written.
        GstMapInfo map;
        EXPECT_FALSE(gst_memory_map(gst_buffer_peek_memory(kept.get(), 0), &map, GST_MAP_WRITE));
        EXPECT_EQ(people.stat("copied-bytes"), 0U);
    }
    EXPECT_LE(largest_difference(pixels(kept.get(), mask_caps),
                                 pixels(mask_of(wanted.get()).get(), mask_caps)),
              2);
}

// The blend is the CPU's, so that it maps the mask; and the other way round.
TEST_F(MatteOnDevice, is_counted_where_it_crosses) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const Ref still = picture_frame(*picture, caps_);
    for (const bool down : {true, false}) {
        Harness people("sluicesegment", down ? on_device() : on("cpu"));
        Harness background("sluicebackground", green(down ? on("cpu") : on_device()));
        gst_harness_set_src_caps_str(people.get(), caps_.c_str());
        gst_harness_set_src_caps_str(background.get(), caps_.c_str());
        ASSERT_TRUE(through(people, background,
                            in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps_))));
        EXPECT_EQ(people.stat("mask-bytes-download"), down ? kMaskBytes : 0U);
        EXPECT_EQ(background.stat("mask-bytes-upload"), down ? 0U : kMaskBytes);
    }
}

} // namespace
} // namespace sluice::testing
