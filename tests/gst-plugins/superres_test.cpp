// SPDX-License-Identifier: Apache-2.0
// sluicesuperres: twice the size, everything else as it was.
#include <cmath>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/analytics.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

TEST(SuperRes, doubles_the_size_in_the_caps_and_keeps_the_rest) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    Harness harness("sluicesuperres");
    harness.set_caps("video/x-raw,format=NV12,width=40,height=30,framerate=30000/1001,"
                     "pixel-aspect-ratio=4/3,colorimetry=bt709,chroma-site=mpeg2,"
                     "interlace-mode=progressive,multiview-mode=mono");
    const Ref out = harness.run(make_frame(video_caps("NV12", 40, 30)));
    ASSERT_TRUE(out);
    const Ref caps(gst_pad_get_current_caps(harness.get()->sinkpad));
    const Ref wanted(
        gst_caps_from_string("video/x-raw,format=NV12,width=80,height=60,framerate=30000/1001,"
                             "pixel-aspect-ratio=4/3,colorimetry=bt709,chroma-site=mpeg2,"
                             "interlace-mode=progressive,multiview-mode=mono"));
    EXPECT_TRUE(gst_caps_is_equal(caps.get(), wanted.get()));
    EXPECT_EQ(pixels(out.get(), video_caps("NV12", 80, 60)).size(), 80U * 60U * 3U / 2U);
}

TEST(SuperRes, renegotiates_size_and_format_in_mid_stream) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    Harness harness("sluicesuperres");
    struct Row {
        const char* format;
        int width;
        int height;
    };
    std::uint64_t number = 0;
    for (const Row& row : {Row{"NV12", 40, 30}, Row{"I420", 41, 31}, Row{"RGB", 16, 16},
                           Row{"GRAY8", 1, 1}, Row{"YUY2", 33, 7}, Row{"P010_10LE", 20, 10}}) {
        const std::string caps = video_caps(row.format, row.width, row.height);
        harness.set_caps(caps);
        const Ref out = harness.run(make_frame(caps, number++, 10));
        ASSERT_TRUE(out) << caps;
        const auto twice = pixels(out.get(), video_caps(row.format, 2 * row.width, 2 * row.height));
        EXPECT_FALSE(twice.empty());
    }
    EXPECT_TRUE(harness.errors().empty());
    EXPECT_EQ(harness.stat("inferences"), 6U);
}

TEST(SuperRes, looks_like_the_picture_that_it_came_from) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string small = video_caps("GRAY8", 128, 128);
    const std::string large = video_caps("GRAY8", 256, 256);
    Harness harness("sluicesuperres");
    harness.set_caps(small);
    const auto out = pixels(harness.run(picture_frame(*picture, small)).get(), large);
    const auto truth = pixels(picture_frame(*picture, large).get(), large);
    double sum = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
        sum += std::pow(static_cast<double>(out[i]) - truth[i], 2);
    }
    const double psnr = 10 * std::log10(255.0 * 255.0 * static_cast<double>(truth.size()) / sum);
    EXPECT_GT(psnr, 24) << "dB; a shifted or scrambled picture has less than 20";
}

TEST(SuperRes, rescales_what_is_known_of_the_frame) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string caps = video_caps("NV12", 64, 48);
    Harness harness("sluicesuperres");
    harness.set_caps(caps);
    Ref frame = make_frame(caps, 3);
    GstAnalyticsODMtd box;
    ASSERT_TRUE(gst_analytics_relation_meta_add_od_mtd(
        gst::relations(frame.get()), g_quark_from_string("face"), 5, 6, 7, 8, 0.5F, &box));
    gst_buffer_add_video_region_of_interest_meta(frame.get(), "face", 5, 6, 7, 8);
    GstVideoTimeCode* code =
        gst_video_time_code_new(25, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
    gst_buffer_add_video_time_code_meta(frame.get(), code);
    gst_video_time_code_free(code);
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), 120 * GST_MSECOND);
    auto* meta = gst_buffer_get_analytics_relation_meta(out.get());
    ASSERT_NE(meta, nullptr);
    ASSERT_TRUE(gst_analytics_relation_meta_get_od_mtd(meta, box.id, &box));
    gint x = 0;
    gint y = 0;
    gint width = 0;
    gint height = 0;
    gfloat score = 0;
    gst_analytics_od_mtd_get_location(&box, &x, &y, &width, &height, &score);
    EXPECT_EQ(x, 10);
    EXPECT_EQ(y, 12);
    EXPECT_EQ(width, 14);
    EXPECT_EQ(height, 16);
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(
        gst_buffer_get_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->w, 14U);
    EXPECT_NE(gst_buffer_get_video_time_code_meta(out.get()), nullptr);
}

TEST(SuperRes, enlarges_without_the_network_when_downstream_is_late) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string caps = video_caps("I420", 34, 18);
    Harness harness("sluicesuperres");
    harness.set_caps(caps);
    ASSERT_TRUE(harness.run(make_frame(caps, 0)));
    gst_harness_push_upstream_event(
        harness.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 60 * GST_MSECOND, 0));
    Ref flat = make_frame(caps, 1);
    gst_buffer_memset(flat.get(), 0, 100, gst_buffer_get_size(flat.get()));
    const Ref out = harness.run(std::move(flat));
    ASSERT_TRUE(out);
    for (const std::uint8_t value : pixels(out.get(), video_caps("I420", 68, 36))) {
        ASSERT_EQ(value, 100); // without a residual a flat frame stays flat
    }
    EXPECT_EQ(harness.stat("inferences"), 1U);
    EXPECT_EQ(harness.stat("skipped-late"), 1U);
}

TEST(SuperRes, offers_upstream_only_what_doubles_to_what_downstream_takes) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    Harness harness("sluicesuperres");
    const auto wanted_of_upstream = [&](const char* downstream) {
        gst_harness_set_sink_caps_str(harness.get(), downstream);
        return Ref(gst_pad_peer_query_caps(harness.get()->srcpad, nullptr));
    };
    EXPECT_TRUE(
        gst_caps_is_empty(wanted_of_upstream("video/x-raw,format=NV12,width=81,height=60").get()));
    const Ref half = wanted_of_upstream("video/x-raw,format=NV12,width=80,height=60");
    const Ref expected(gst_caps_from_string(
        "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width=40,height=30,"
        "framerate=[0/1,2147483647/1];"
        "video/x-raw,format=NV12,width=40,height=30,framerate=[0/1,2147483647/1]"));
    EXPECT_TRUE(gst_caps_is_equal(half.get(), expected.get()));
}

} // namespace
} // namespace sluice::testing
