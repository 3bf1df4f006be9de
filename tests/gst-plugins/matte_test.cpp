// SPDX-License-Identifier: Apache-2.0
// Masks that stay on the device: blended there without passing through the host, which still can
// read them.
#include <algorithm>
#include <cstdlib>
#include <utility>
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
constexpr std::uint64_t kMaskBytes = std::uint64_t{256} * 144; // of selfie-segmentation-landscape

Ref<GstBuffer> mask_of(GstBuffer* frame, int number = 0) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(frame);
    EXPECT_NE(meta, nullptr);
    gpointer state = nullptr;
    GstAnalyticsSegmentationMtd mtd;
    for (int i = 0; i <= number; ++i) {
        if (meta == nullptr ||
            gst_analytics_relation_meta_iterate(
                meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &mtd) == FALSE) {
            ADD_FAILURE() << "no mask " << i;
            return {};
        }
    }
    gint x = 0;
    gint y = 0;
    guint width = 0;
    guint height = 0;
    Ref mask(gst_analytics_segmentation_mtd_get_mask(&mtd, &x, &y, &width, &height));
    EXPECT_EQ(x, 0);
    EXPECT_EQ(y, 0);
    EXPECT_EQ(width, static_cast<guint>(kSide));
    EXPECT_EQ(height, static_cast<guint>(kSide));
    return mask;
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

TEST_F(MatteOnDevice, becomes_alpha_there_beside_the_same_colours) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const auto key = [](std::function<void(GstElement*)> setup) {
        return [setup = std::move(setup)](GstElement* element) {
            setup(element);
            gst_util_set_object_arg(G_OBJECT(element), "effect", "key");
        };
    };
    for (const auto& [format, name] :
         {std::pair{GST_VIDEO_FORMAT_RGBA, "RGBA"}, std::pair{GST_VIDEO_FORMAT_BGRA, "BGRA"}}) {
        SCOPED_TRACE(name);
        const std::string caps = video_caps(name, kSide, kSide);
        const Ref still = picture_frame(*picture, caps);
        // The CPU's key of the same network's mask.
        Harness told("sluicesegment", on_device());
        Harness cpu("sluicebackground", key(on("cpu")));
        Harness people("sluicesegment", on_device());
        Harness background("sluicebackground", key(on_device()));
        for (const Harness* one : {&told, &cpu, &people, &background}) {
            gst_harness_set_src_caps_str(one->get(), caps.c_str());
        }
        const Ref keyed = through(told, cpu, Ref(gst_buffer_copy_deep(still.get())));
        ASSERT_TRUE(keyed);
        const auto wanted = pixels(keyed.get(), caps);
        for (int i = 0; i < 3; ++i) {
            const Ref out =
                through(people, background, in_file(still, File::Fd, format, info_of(caps)));
            ASSERT_TRUE(out);
            const auto seen = pixels(out.get(), caps);
            EXPECT_LE(largest_difference(seen, wanted), 1);
            const auto before = pixels(still.get(), caps);
            std::size_t changed = 0;
            std::size_t removed = 0;
            for (std::size_t k = 0; k < seen.size(); ++k) {
                changed += k % 4 != 3 && seen[k] != before[k] ? 1 : 0;
                removed += k % 4 == 3 && seen[k] < 25 ? 1 : 0;
            }
            EXPECT_EQ(changed, 0U) << "colours were written";
            EXPECT_GT(removed, seen.size() / 40) << "the wall is still there";
        }
        EXPECT_EQ(people.stat("mask-bytes-download"), 0U);
        EXPECT_EQ(background.stat("mask-bytes-upload"), 0U);
        EXPECT_EQ(people.stat("copied-bytes"), 0U);
        EXPECT_EQ(background.stat("copied-bytes"), 0U);
    }
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

// A multi-class network gives two: the map of its classes, and the matte.
TEST_F(MatteOnDevice, lies_there_beside_the_map_of_classes) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-multiclass.tflite"));
    constexpr std::uint64_t kMapBytes = std::uint64_t{256} * 256;
    const std::string mask_caps = video_caps("GRAY8", 256, 256);
    const Ref still = picture_frame(*picture, caps_);
    const auto multiclass = [](std::function<void(GstElement*)> setup) {
        return [setup = std::move(setup)](GstElement* element) {
            setup(element);
            g_object_set(element, "model", "selfie-multiclass", nullptr);
        };
    };
    Harness cpu_people("sluicesegment", multiclass(on("cpu")));
    Harness cpu_background("sluicebackground", green(on("cpu")));
    Harness people("sluicesegment", multiclass(on_device()));
    Harness background("sluicebackground", green(on_device()));
    for (const Harness* one : {&cpu_people, &cpu_background, &people, &background}) {
        gst_harness_set_src_caps_str(one->get(), caps_.c_str());
    }
    const Ref wanted = through(cpu_people, cpu_background, Ref(gst_buffer_copy_deep(still.get())));
    ASSERT_TRUE(wanted);
    Ref<GstBuffer> out;
    for (int i = 0; i < 3; ++i) {
        out = through(people, background,
                      in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps_)));
        ASSERT_TRUE(out);
        EXPECT_LE(largest_difference(pixels(out.get(), caps_), pixels(wanted.get(), caps_)), 3);
        EXPECT_GT(largest_difference(pixels(out.get(), caps_), pixels(still.get(), caps_)), 50)
            << "nothing was blended";
    }
    EXPECT_EQ(people.stat("mask-bytes-download"), 0U);
    EXPECT_EQ(background.stat("mask-bytes-upload"), 0U);
    EXPECT_EQ(people.stat("copied-bytes"), 0U);
    EXPECT_EQ(background.stat("copied-bytes"), 0U);

    // Who maps them gets what the CPU's element gives; each is copied once.
    for (int again = 0; again < 2; ++again) {
        const auto classes = pixels(mask_of(out.get(), 0).get(), mask_caps);
        const auto cpu_classes = pixels(mask_of(wanted.get(), 0).get(), mask_caps);
        ASSERT_EQ(classes.size(), cpu_classes.size());
        std::size_t others = 0; // where the networks' roundings let near classes change places
        std::size_t background_pixels = 0;
        for (std::size_t i = 0; i < classes.size(); ++i) {
            others += classes[i] != cpu_classes[i] ? 1 : 0;
            background_pixels += classes[i] == 0 ? 1 : 0;
        }
        EXPECT_LE(others, classes.size() / 1000);
        EXPECT_GT(background_pixels, classes.size() / 10);
        EXPECT_LT(background_pixels, classes.size() * 9 / 10);
        EXPECT_EQ(people.stat("mask-bytes-download"), again == 0 ? kMapBytes : 2 * kMapBytes);
        EXPECT_LE(largest_difference(pixels(mask_of(out.get(), 1).get(), mask_caps),
                                     pixels(mask_of(wanted.get(), 1).get(), mask_caps)),
                  2);
        EXPECT_EQ(people.stat("mask-bytes-download"), 2 * kMapBytes);
    }
    GstMapInfo map;
    EXPECT_FALSE(
        gst_memory_map(gst_buffer_peek_memory(mask_of(out.get()).get(), 0), &map, GST_MAP_WRITE));
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
