// SPDX-License-Identifier: Apache-2.0
// Caps times two and metas times two.
#include <string>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/superres/scaling.h"

namespace sluice::gst {
namespace {

std::string scaled(const std::string& text, bool enlarge) {
    const Ref caps(gst_caps_from_string(text.c_str()));
    const Ref out = scale_caps(caps.get(), 2, enlarge);
    gchar* written = gst_caps_to_string(out.get());
    std::string result = written;
    g_free(written);
    return result;
}

bool same(const std::string& a, const std::string& b) {
    const Ref first(gst_caps_from_string(a.c_str()));
    const Ref second(gst_caps_from_string(b.c_str()));
    return gst_caps_is_equal(first.get(), second.get()) != FALSE;
}

struct ScalingRow {
    const char* in;
    bool enlarge;
    const char* out;
};

class ScaleCaps : public ::testing::TestWithParam<ScalingRow> {};

TEST_P(ScaleCaps, keeps_all_but_the_size) {
    const std::string got = scaled(GetParam().in, GetParam().enlarge);
    EXPECT_TRUE(same(got, GetParam().out)) << got;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ScaleCaps,
    ::testing::Values(
        ScalingRow{
            "video/x-raw,format=NV12,width=401,height=300,framerate=25/1,pixel-aspect-ratio=4/3,"
            "colorimetry=bt709,chroma-site=mpeg2,interlace-mode=progressive,multiview-mode=mono",
            true,
            "video/x-raw,format=NV12,width=802,height=600,framerate=25/1,pixel-aspect-ratio=4/3,"
            "colorimetry=bt709,chroma-site=mpeg2,interlace-mode=progressive,multiview-mode=mono"},
        ScalingRow{"video/x-raw,width=800,height=600", false, "video/x-raw,width=400,height=300"},
        ScalingRow{"video/x-raw,width=801,height=600", false, "EMPTY"},
        ScalingRow{"video/x-raw,width=1,height=1", false, "EMPTY"},
        ScalingRow{"video/x-raw,width=[1,2147483647],height=[1,2147483647]", true,
                   "video/x-raw,width=[2,2147483647],height=[2,2147483647]"},
        ScalingRow{"video/x-raw,width=[1,2147483647],height=[1,2147483647]", false,
                   "video/x-raw,width=[1,1073741823],height=[1,1073741823]"},
        ScalingRow{"video/x-raw,width=[5,7],height=6", false, "video/x-raw,width=3,height=3"},
        ScalingRow{"video/x-raw,width={7,9},height=[9,12]", false, "EMPTY"},
        ScalingRow{"video/x-raw,width={640,1280},height=480", true,
                   "video/x-raw,width={1280,2560},height=960"},
        ScalingRow{"video/x-raw,width={3,4,5},height=480", false, "video/x-raw,width=2,height=240"},
        ScalingRow{"video/x-raw,width=2000000000,height=4", true, "EMPTY"},
        ScalingRow{"video/x-raw,format=I420", true, "video/x-raw,format=I420"},
        ScalingRow{"video/x-raw,width=10,height=10;video/x-raw,width=11,height=10", false,
                   "video/x-raw,width=5,height=5"},
        ScalingRow{"video/x-raw(memory:DMABuf),width=10,height=10", true,
                   "video/x-raw(memory:DMABuf),width=20,height=20"}));

class CarryMeta : public ::testing::Test {
protected:
    CarryMeta() : in_(gst_buffer_new()), out_(gst_buffer_new()) {
        gst_video_info_set_format(&in_info_, GST_VIDEO_FORMAT_NV12, 400, 300);
        gst_video_info_set_format(&out_info_, GST_VIDEO_FORMAT_NV12, 800, 600);
    }

    // As GstBaseTransform does.
    void carry_all() {
        gpointer state = nullptr;
        while (GstMeta* meta = gst_buffer_iterate_meta(in_.get(), &state)) {
            if (carry_meta(out_.get(), meta, in_.get(), in_info_, out_info_)) {
                GstMetaTransformCopy copy{.region = FALSE, .offset = 0, .size = G_MAXSIZE};
                meta->info->transform_func(out_.get(), meta, in_.get(),
                                           g_quark_from_string("gst-copy"), &copy);
            }
        }
    }

    Ref<GstBuffer> in_;
    Ref<GstBuffer> out_;
    GstVideoInfo in_info_{};
    GstVideoInfo out_info_{};
};

TEST_F(CarryMeta, doubles_boxes_and_keeps_their_relations) {
    auto* meta = gst_buffer_add_analytics_relation_meta(in_.get());
    GstAnalyticsODMtd box;
    GstAnalyticsTrackingMtd track;
    ASSERT_TRUE(gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_string("face"), 10, 20,
                                                       31, 41, 0.75F, &box));
    ASSERT_TRUE(gst_analytics_relation_meta_add_tracking_mtd(meta, 9, 5, &track));
    gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, box.id,
                                             track.id);
    carry_all();
    auto* carried = gst_buffer_get_analytics_relation_meta(out_.get());
    ASSERT_NE(carried, nullptr);
    ASSERT_EQ(gst_analytics_relation_get_length(carried), 2U);
    ASSERT_TRUE(gst_analytics_relation_meta_get_od_mtd(carried, box.id, &box));
    gint x = 0;
    gint y = 0;
    gint width = 0;
    gint height = 0;
    gfloat score = 0;
    ASSERT_TRUE(gst_analytics_od_mtd_get_location(&box, &x, &y, &width, &height, &score));
    EXPECT_EQ(x, 20);
    EXPECT_EQ(y, 40);
    EXPECT_EQ(width, 62);
    EXPECT_EQ(height, 82);
    EXPECT_FLOAT_EQ(score, 0.75F);
    EXPECT_EQ(gst_analytics_relation_meta_get_relation(carried, box.id, track.id),
              GST_ANALYTICS_REL_TYPE_RELATE_TO);
}

TEST_F(CarryMeta, places_masks_over_the_larger_frame) {
    auto* meta = gst_buffer_add_analytics_relation_meta(in_.get());
    GstBuffer* mask = gst_buffer_new_allocate(nullptr, 64 * 32, nullptr);
    gst_buffer_add_video_meta(mask, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 64, 32);
    guint id = 0;
    GstAnalyticsSegmentationMtd segmentation;
    ASSERT_TRUE(gst_analytics_relation_meta_add_segmentation_mtd(
        meta, mask, GST_SEGMENTATION_TYPE_SEMANTIC, 1, &id, 0, 0, 400, 300, &segmentation));
    carry_all();
    auto* carried = gst_buffer_get_analytics_relation_meta(out_.get());
    ASSERT_NE(carried, nullptr);
    ASSERT_TRUE(
        gst_analytics_relation_meta_get_segmentation_mtd(carried, segmentation.id, &segmentation));
    gint x = -1;
    gint y = -1;
    guint width = 0;
    guint height = 0;
    const Ref same(gst_analytics_segmentation_mtd_get_mask(&segmentation, &x, &y, &width, &height));
    EXPECT_EQ(same.get(), mask);
    EXPECT_EQ(x, 0);
    EXPECT_EQ(y, 0);
    EXPECT_EQ(width, 800U);
    EXPECT_EQ(height, 600U);
}

TEST_F(CarryMeta, doubles_regions_and_their_keypoints_but_not_other_parameters) {
    auto* region = gst_buffer_add_video_region_of_interest_meta(in_.get(), "face", 10, 20, 30, 40);
    gst_video_region_of_interest_meta_add_param(
        region, gst_structure_new("keypoints", "frame-width", G_TYPE_UINT, 400, "frame-height",
                                  G_TYPE_UINT, 300, "nose-tip-x", G_TYPE_DOUBLE, 12.5, "nose-tip-y",
                                  G_TYPE_DOUBLE, 21.0, nullptr));
    gst_video_region_of_interest_meta_add_param(
        region, gst_structure_new("roi/other", "delta-x", G_TYPE_DOUBLE, 3.0, nullptr));
    gst_buffer_add_video_region_of_interest_meta(in_.get(), "second", 1, 2, 3, 4);
    carry_all();
    auto* carried = gst_buffer_get_video_region_of_interest_meta_id(out_.get(), region->id);
    ASSERT_NE(carried, nullptr);
    EXPECT_EQ(carried->x, 20U);
    EXPECT_EQ(carried->y, 40U);
    EXPECT_EQ(carried->w, 60U);
    EXPECT_EQ(carried->h, 80U);
    const GstStructure* points = gst_video_region_of_interest_meta_get_param(carried, "keypoints");
    ASSERT_NE(points, nullptr);
    gdouble x = 0;
    gdouble y = 0;
    guint frame_width = 0;
    ASSERT_TRUE(gst_structure_get(points, "nose-tip-x", G_TYPE_DOUBLE, &x, "nose-tip-y",
                                  G_TYPE_DOUBLE, &y, "frame-width", G_TYPE_UINT, &frame_width,
                                  nullptr));
    EXPECT_DOUBLE_EQ(x, 25.0);
    EXPECT_DOUBLE_EQ(y, 42.0);
    EXPECT_EQ(frame_width, 800U);
    const GstStructure* other = gst_video_region_of_interest_meta_get_param(carried, "roi/other");
    ASSERT_TRUE(gst_structure_get_double(other, "delta-x", &x));
    EXPECT_DOUBLE_EQ(x, 3.0);
    // The input's own stay.
    ASSERT_TRUE(gst_structure_get_double(
        gst_video_region_of_interest_meta_get_param(region, "keypoints"), "nose-tip-x", &x));
    EXPECT_DOUBLE_EQ(x, 12.5);
}

TEST_F(CarryMeta, copies_time_codes_and_leaves_the_input_memory_behind) {
    GstVideoTimeCode* code =
        gst_video_time_code_new(25, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
    gst_buffer_add_video_time_code_meta(in_.get(), code);
    gst_video_time_code_free(code);
    const Ref caps(gst_caps_new_empty_simple("timestamp/x-ntp"));
    gst_buffer_add_reference_timestamp_meta(in_.get(), caps.get(), 42, GST_CLOCK_TIME_NONE);
    gst_buffer_add_video_crop_meta(in_.get());
    carry_all();
    const auto* carried = gst_buffer_get_video_time_code_meta(out_.get());
    ASSERT_NE(carried, nullptr);
    EXPECT_EQ(carried->tc.seconds, 3U);
    EXPECT_NE(gst_buffer_get_reference_timestamp_meta(out_.get(), caps.get()), nullptr);
    EXPECT_EQ(gst_buffer_get_video_crop_meta(out_.get()), nullptr);
}

} // namespace
} // namespace sluice::gst
