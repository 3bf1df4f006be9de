// SPDX-License-Identifier: Apache-2.0
// sluicesegment: masks on the buffer, the frame untouched.
#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/witness_memory.h"

namespace sluice::testing {
namespace {

struct Mask {
    std::vector<std::uint8_t> values; // row-major
    guint width = 0;
    guint height = 0;
    gint x = 0;
    gint y = 0;
    guint frame_width = 0;
    guint frame_height = 0;
    std::vector<std::string> regions;
    const GstBuffer* buffer = nullptr;

    // The value where a frame pixel lies.
    [[nodiscard]] std::uint8_t at(double px, double py) const {
        const auto column = static_cast<std::size_t>((px - x) * width / frame_width);
        const auto row = static_cast<std::size_t>((py - y) * height / frame_height);
        return values[row * width + column];
    }
};

std::vector<Mask> masks_of(GstBuffer* frame) {
    std::vector<Mask> masks;
    auto* meta = gst_buffer_get_analytics_relation_meta(frame);
    if (meta == nullptr) {
        return masks;
    }
    gpointer state = nullptr;
    GstAnalyticsSegmentationMtd mtd;
    while (gst_analytics_relation_meta_iterate(
        meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &mtd)) {
        Mask mask;
        const Ref buffer(gst_analytics_segmentation_mtd_get_mask(
            &mtd, &mask.x, &mask.y, &mask.frame_width, &mask.frame_height));
        mask.buffer = buffer.get();
        const GstVideoMeta* video = gst_buffer_get_video_meta(buffer.get());
        EXPECT_EQ(video->format, GST_VIDEO_FORMAT_GRAY8);
        mask.width = video->width;
        mask.height = video->height;
        mask.values = pixels(buffer.get(), video_caps("GRAY8", static_cast<int>(video->width),
                                                      static_cast<int>(video->height)));
        gpointer related = nullptr;
        GstAnalyticsClsMtd names;
        EXPECT_TRUE(gst_analytics_relation_meta_get_direct_related(
            meta, mtd.id, GST_ANALYTICS_REL_TYPE_N_TO_N, gst_analytics_cls_mtd_get_mtd_type(),
            &related, &names));
        EXPECT_EQ(gst_analytics_cls_mtd_get_length(&names),
                  gst_analytics_segmentation_mtd_get_region_count(&mtd));
        for (gsize i = 0; i < gst_analytics_cls_mtd_get_length(&names); ++i) {
            EXPECT_EQ(gst_analytics_segmentation_mtd_get_region_id(&mtd, i), i);
            mask.regions.emplace_back(
                g_quark_to_string(gst_analytics_cls_mtd_get_quark(&names, i)));
        }
        masks.push_back(std::move(mask));
    }
    return masks;
}

// Places of the astronaut's picture, found by eye: her face and suit, the grey wall.
void expect_person_and_wall(const Mask& matte) {
    EXPECT_GT(matte.at(225, 115), 230);
    EXPECT_GT(matte.at(200, 340), 230);
    EXPECT_LT(matte.at(340, 40), 25);
    EXPECT_LT(matte.at(130, 40), 25);
}

TEST(Segment, gives_a_soft_matte_of_the_person) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation.tflite"));
    const std::string caps = video_caps("NV12", 512, 512);
    const Ref original = picture_frame(*picture, caps);
    const WitnessMemory witness(original.get());
    Harness harness("sluicesegment", [](GstElement* element) {
        g_object_set(element, "model", "selfie-segmentation", nullptr);
    });
    harness.set_caps(caps);
    Ref frame = witness.make_buffer();
    witness.forget();
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(witness.writes(), 0U);
    EXPECT_EQ(witness.copies(), 0U);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), witness.memory());
    const auto masks = masks_of(out.get());
    ASSERT_EQ(masks.size(), 1U);
    EXPECT_EQ(masks[0].regions, std::vector<std::string>{"person"});
    EXPECT_EQ(masks[0].width, 256U);
    EXPECT_EQ(masks[0].height, 256U);
    EXPECT_EQ(masks[0].frame_width, 512U);
    EXPECT_EQ(masks[0].frame_height, 512U);
    expect_person_and_wall(masks[0]);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

TEST(Segment, names_six_classes_and_their_common_matte) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-multiclass.tflite"));
    const std::string caps = video_caps("RGB", 512, 512);
    Harness harness("sluicesegment", [](GstElement* element) {
        g_object_set(element, "model", "selfie-multiclass", nullptr);
    });
    harness.set_caps(caps);
    const Ref out = harness.run(picture_frame(*picture, caps));
    ASSERT_TRUE(out);
    const auto masks = masks_of(out.get());
    ASSERT_EQ(masks.size(), 2U);
    const Mask& classes = masks[0];
    ASSERT_EQ(classes.regions.size(), 6U);
    const auto name_at = [&](double x, double y) { return classes.regions.at(classes.at(x, y)); };
    EXPECT_EQ(name_at(225, 40), "hair");
    EXPECT_EQ(name_at(225, 120), "face-skin");
    EXPECT_EQ(name_at(200, 340), "clothes");
    EXPECT_EQ(name_at(340, 40), "background");
    expect_person_and_wall(masks[1]);
}

TEST(Segment, repeats_the_same_mask_buffer_between_inferences) {
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const std::string caps = video_caps("I420", 160, 90);
    Harness harness("sluicesegment", [](GstElement* element) {
        g_object_set(element, "inference-interval", 2, nullptr);
    });
    harness.set_caps(caps);
    const Ref first = harness.run(make_frame(caps, 0));
    const Ref second = harness.run(make_frame(caps, 1));
    const Ref third = harness.run(make_frame(caps, 2));
    EXPECT_EQ(masks_of(first.get())[0].buffer, masks_of(second.get())[0].buffer);
    EXPECT_NE(masks_of(second.get())[0].buffer, masks_of(third.get())[0].buffer);
    EXPECT_EQ(harness.stat("inferences"), 2U);
}

TEST(Segment, forgets_the_last_mask_when_the_size_changes) {
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    Harness harness("sluicesegment", [](GstElement* element) {
        g_object_set(element, "inference-interval", 100, nullptr);
    });
    harness.set_caps(video_caps("I420", 160, 90));
    ASSERT_TRUE(harness.run(make_frame(video_caps("I420", 160, 90), 0)));
    harness.set_caps(video_caps("NV12", 64, 64));
    const Ref out = harness.run(make_frame(video_caps("NV12", 64, 64), 1));
    EXPECT_EQ(harness.stat("inferences"), 2U);
    EXPECT_EQ(masks_of(out.get())[0].frame_width, 64U);
}

} // namespace
} // namespace sluice::testing
