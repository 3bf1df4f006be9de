// SPDX-License-Identifier: Apache-2.0
// sluicefacedetect: boxes, keypoints, tracks, and not a byte of the frame touched.
#include <array>
#include <cmath>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/witness_memory.h"

namespace sluice::testing {
namespace {

struct Box {
    gint x = 0;
    gint y = 0;
    gint width = 0;
    gint height = 0;
    gfloat score = 0;
    guint id = 0;
    std::uint64_t track = 0;
};

std::vector<Box> boxes_of(GstBuffer* frame) {
    std::vector<Box> boxes;
    auto* meta = gst_buffer_get_analytics_relation_meta(frame);
    if (meta == nullptr) {
        return boxes;
    }
    gpointer state = nullptr;
    GstAnalyticsODMtd mtd;
    while (gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(),
                                               &mtd)) {
        Box box{.id = mtd.id};
        gst_analytics_od_mtd_get_location(&mtd, &box.x, &box.y, &box.width, &box.height,
                                          &box.score);
        EXPECT_STREQ(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&mtd)), "face");
        gpointer related = nullptr;
        GstAnalyticsTrackingMtd track;
        if (gst_analytics_relation_meta_get_direct_related(
                meta, mtd.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                gst_analytics_tracking_mtd_get_mtd_type(), &related, &track)) {
            GstClockTime first = 0;
            GstClockTime last = 0;
            gboolean lost = FALSE;
            gst_analytics_tracking_mtd_get_info(&track, &box.track, &first, &last, &lost);
        }
        boxes.push_back(box);
    }
    return boxes;
}

// A point of the picture, found by eye.
struct Spot {
    const char* name;
    double x;
    double y;
};
constexpr std::array kAstronaut{Spot{"right-eye", 203, 101}, Spot{"left-eye", 247, 103},
                                Spot{"nose-tip", 225, 120}, Spot{"mouth-center", 224, 145}};

class FaceDetectFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(FaceDetectFormat, finds_the_astronaut_and_her_features) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps(GetParam(), 512, 512);
    Harness harness("sluicefacedetect");
    harness.set_caps(caps);
    const Ref out = harness.run(picture_frame(*picture, caps));
    ASSERT_TRUE(out);
    const auto boxes = boxes_of(out.get());
    ASSERT_EQ(boxes.size(), 1U);
    EXPECT_GT(boxes[0].score, 0.5F);
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(
        gst_buffer_get_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    ASSERT_NE(region, nullptr);
    EXPECT_STREQ(g_quark_to_string(region->roi_type), "face");
    EXPECT_EQ(region->id, static_cast<gint>(boxes[0].id));
    EXPECT_EQ(region->x, static_cast<guint>(boxes[0].x));
    EXPECT_EQ(region->h, static_cast<guint>(boxes[0].height));
    const GstStructure* points = gst_video_region_of_interest_meta_get_param(
        const_cast<GstVideoRegionOfInterestMeta*>(region), "keypoints");
    ASSERT_NE(points, nullptr);
    for (const Spot& spot : kAstronaut) {
        gdouble x = 0;
        gdouble y = 0;
        ASSERT_TRUE(gst_structure_get_double(points, (spot.name + std::string("-x")).c_str(), &x));
        ASSERT_TRUE(gst_structure_get_double(points, (spot.name + std::string("-y")).c_str(), &y));
        EXPECT_NEAR(x, spot.x, 12) << spot.name;
        EXPECT_NEAR(y, spot.y, 12) << spot.name;
        EXPECT_GT(x, boxes[0].x) << spot.name;
        EXPECT_LT(x, boxes[0].x + boxes[0].width) << spot.name;
    }
    EXPECT_EQ(harness.stat("frames"), 1U);
    EXPECT_EQ(harness.stat("inferences"), 1U);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}
INSTANTIATE_TEST_SUITE_P(Formats, FaceDetectFormat,
                         ::testing::Values("NV12", "I420", "YUY2", "P010_10LE", "RGB", "BGRx",
                                           "GRAY8"));

// The copy ledger is not asked: the memory itself says who looked at it and how.
TEST(FaceDetect, maps_for_reading_only_and_passes_the_same_memory) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("NV12", 512, 512);
    const Ref original = picture_frame(*picture, caps);
    const WitnessMemory witness(original.get());
    for (const bool shared : {false, true}) {
        Harness harness("sluicefacedetect");
        harness.set_caps(caps);
        Ref frame = witness.make_buffer();
        GST_BUFFER_PTS(frame.get()) = 0;
        const Ref second(shared ? gst_buffer_ref(frame.get()) : nullptr);
        witness.forget();
        const Ref out = harness.run(std::move(frame));
        ASSERT_TRUE(out);
        EXPECT_EQ(boxes_of(out.get()).size(), 1U);
        ASSERT_EQ(gst_buffer_n_memory(out.get()), 1U);
        EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), witness.memory());
        EXPECT_GT(witness.reads(), 0U);
        EXPECT_EQ(witness.writes(), 0U);
        EXPECT_EQ(witness.copies(), 0U);
        GstMapInfo map;
        ASSERT_TRUE(gst_buffer_map(out.get(), &map, GST_MAP_READ));
        EXPECT_EQ(map.data, witness.data());
        gst_buffer_unmap(out.get(), &map);
        EXPECT_EQ(pixels(out.get(), caps), pixels(original.get(), caps));
        if (shared) {
            EXPECT_TRUE(boxes_of(second.get()).empty()) << "the other owner's buffer was changed";
        }
        EXPECT_EQ(harness.stat("copied-bytes"), 0U);
    }
}

TEST(FaceDetect, says_that_it_looked_where_there_is_no_face) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("I420", 320, 240);
    Harness harness("sluicefacedetect");
    harness.set_caps(caps);
    const Ref out = harness.run(make_frame(caps));
    ASSERT_TRUE(out);
    EXPECT_NE(gst_buffer_get_analytics_relation_meta(out.get()), nullptr);
    EXPECT_TRUE(boxes_of(out.get()).empty());
}

TEST(FaceDetect, heeds_a_threshold_that_changes_while_playing) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("RGB", 512, 512);
    Harness harness("sluicefacedetect");
    harness.set_caps(caps);
    EXPECT_EQ(boxes_of(harness.run(picture_frame(*picture, caps)).get()).size(), 1U);
    g_object_set(harness.element(), "score-threshold", 1.0, nullptr);
    EXPECT_EQ(boxes_of(harness.run(picture_frame(*picture, caps)).get()).size(), 0U);
}

TEST(FaceDetect, repeats_the_last_faces_between_inferences) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("NV12", 512, 512);
    Harness harness("sluicefacedetect", [](GstElement* element) {
        g_object_set(element, "inference-interval", 3, "tracking", TRUE, nullptr);
    });
    harness.set_caps(caps);
    // One picture of a face, then empty ones: boxes stay for two frames and go with the next look.
    const Ref first = harness.run(picture_frame(*picture, caps));
    ASSERT_EQ(boxes_of(first.get()).size(), 1U);
    const Box face = boxes_of(first.get())[0];
    EXPECT_GT(face.track, 0U);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        const Ref frame = harness.run(make_frame(caps, i));
        const auto boxes = boxes_of(frame.get());
        ASSERT_EQ(boxes.size(), i < 3 ? 1U : 0U) << i;
        if (i < 3) {
            EXPECT_EQ(boxes[0].x, face.x);
            EXPECT_EQ(boxes[0].track, face.track);
        }
    }
    EXPECT_EQ(harness.stat("frames"), 4U);
    EXPECT_EQ(harness.stat("inferences"), 2U);
    EXPECT_EQ(harness.stat("skipped-interval"), 2U);
}

TEST(FaceDetect, leaves_out_inferences_and_no_frame_when_downstream_is_late) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("NV12", 128, 96);
    Harness harness("sluicefacedetect");
    harness.set_caps(caps);
    ASSERT_TRUE(harness.run(make_frame(caps, 0)));
    gst_harness_push_upstream_event(
        harness.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 60 * GST_MSECOND, 0));
    // Late until 0 + 2 * 60 ms + 40 ms.
    for (std::uint64_t i = 1; i <= 6; ++i) {
        ASSERT_TRUE(harness.run(make_frame(caps, i))) << i;
    }
    EXPECT_EQ(harness.stat("frames"), 7U);
    EXPECT_EQ(harness.stat("skipped-late"), 4U);
    EXPECT_EQ(harness.stat("inferences"), 3U);
    const Ref message = harness.pop(GST_MESSAGE_QOS);
    ASSERT_TRUE(message);
    guint64 processed = 0;
    guint64 dropped = 0;
    GstFormat format{};
    gst_message_parse_qos_stats(message.get(), &format, &processed, &dropped);
    EXPECT_EQ(format, GST_FORMAT_BUFFERS);
    EXPECT_EQ(processed, 1U);
    EXPECT_EQ(dropped, 1U);

    Harness stubborn("sluicefacedetect",
                     [](GstElement* element) { g_object_set(element, "qos", FALSE, nullptr); });
    stubborn.set_caps(caps);
    ASSERT_TRUE(stubborn.run(make_frame(caps, 0)));
    gst_harness_push_upstream_event(
        stubborn.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 60 * GST_MSECOND, 0));
    ASSERT_TRUE(stubborn.run(make_frame(caps, 1)));
    EXPECT_EQ(stubborn.stat("inferences"), 2U);
}

TEST(FaceDetect, adds_no_latency_of_its_own) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Harness harness("sluicefacedetect");
    const std::string caps = video_caps("NV12", 128, 96);
    harness.set_caps(caps);
    gst_harness_set_upstream_latency(harness.get(), 17 * GST_MSECOND);
    ASSERT_TRUE(harness.run(make_frame(caps)));
    EXPECT_EQ(gst_harness_query_latency(harness.get()), 17 * GST_MSECOND);
}

TEST(FaceDetect, fails_with_the_reason_where_zero_copy_is_required_and_impossible) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("GRAY8", 64, 64);
    Harness harness("sluicefacedetect", [](GstElement* element) {
        g_object_set(element, "require-zero-copy", TRUE, nullptr);
    });
    harness.set_caps(caps);
    ASSERT_TRUE(harness.run(make_frame(caps)));
    Ref split(gst_buffer_new());
    for (int i = 0; i < 2; ++i) {
        GstMemory* half = gst_allocator_alloc(nullptr, 64 * 32, nullptr);
        gst_buffer_append_memory(split.get(), half);
    }
    EXPECT_EQ(gst_harness_push(harness.get(), split.release()), GST_FLOW_ERROR);
    const auto errors = harness.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].find("unmappable-frame"), std::string::npos) << errors[0];
}

} // namespace
} // namespace sluice::testing
