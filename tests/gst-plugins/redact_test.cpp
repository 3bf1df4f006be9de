// SPDX-License-Identifier: Apache-2.0
// sluiceredact: what is in the box is gone, what is outside stays.
#include <algorithm>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/analytics.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

constexpr int kSize = 96;

void add_box(GstBuffer* frame, const char* label, gint x, gint y, gint width, gint height,
             gfloat score = 0.9F) {
    GstAnalyticsODMtd box;
    ASSERT_TRUE(gst_analytics_relation_meta_add_od_mtd(
        gst::relations(frame), g_quark_from_string(label), x, y, width, height, score, &box));
}

std::size_t at(int x, int y) {
    return static_cast<std::size_t>(y * kSize + x);
}

// Pixels that differ inside a rectangle.
int changed(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b, int left,
            int top, int right, int bottom) {
    int count = 0;
    for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
            count += a[at(x, y)] != b[at(x, y)] ? 1 : 0;
        }
    }
    return count;
}

class RedactEffects : public ::testing::TestWithParam<const char*> {};

TEST_P(RedactEffects, change_the_box_and_nothing_else) {
    const std::string caps = video_caps("GRAY8", kSize, kSize);
    Harness harness("sluiceredact", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", GetParam());
        g_object_set(element, "margin", 0.0, "blocks", 4, nullptr);
    });
    harness.set_caps(caps);
    for (const int padding : {0, 9}) {
        Ref frame = make_frame(caps, 0, padding);
        const auto before = pixels(frame.get(), caps);
        add_box(frame.get(), "face", 32, 24, 40, 48);
        const Ref out = harness.run(std::move(frame));
        ASSERT_TRUE(out);
        const auto after = pixels(out.get(), caps);
        EXPECT_GT(changed(before, after, 32, 24, 72, 72), 40 * 48 * 8 / 10);
        EXPECT_EQ(changed(before, after, 0, 0, kSize, 23), 0);
        EXPECT_EQ(changed(before, after, 0, 73, kSize, kSize), 0);
        EXPECT_EQ(changed(before, after, 0, 23, 31, 73), 0);
        EXPECT_EQ(changed(before, after, 73, 23, kSize, 73), 0);
        // Few values are left of what was a gradient of many.
        std::vector<std::uint8_t> inside;
        for (int x = 36; x < 68; ++x) {
            inside.push_back(after[at(x, 40)]);
        }
        const auto [low, high] = std::ranges::minmax(inside);
        EXPECT_LT(high - low, 120) << "the gradient of 184 codes is still there";
    }
    EXPECT_EQ(harness.stat("redacted-boxes"), 2U);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}
INSTANTIATE_TEST_SUITE_P(Nicks, RedactEffects, ::testing::Values("blur", "pixelate", "black"));

TEST(Redact, heeds_label_score_and_margin) {
    const std::string caps = video_caps("GRAY8", kSize, kSize);
    Harness harness("sluiceredact", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "black");
        g_object_set(element, "margin", 0.5, "score-threshold", 0.5, nullptr);
    });
    harness.set_caps(caps);
    Ref frame = make_frame(caps);
    const auto before = pixels(frame.get(), caps);
    add_box(frame.get(), "face", 40, 40, 8, 8);
    add_box(frame.get(), "face", 2, 2, 8, 8, 0.3F);
    add_box(frame.get(), "cup", 80, 80, 8, 8);
    const auto after = pixels(harness.run(std::move(frame)).get(), caps);
    EXPECT_EQ(changed(before, after, 36, 36, 52, 52), 16 * 16) << "the margin";
    EXPECT_EQ(changed(before, after, 0, 0, 20, 20), 0) << "below the threshold";
    EXPECT_EQ(changed(before, after, 70, 70, kSize, kSize), 0) << "another label";
    g_object_set(harness.element(), "label", "", nullptr);
    Ref any = make_frame(caps);
    add_box(any.get(), "cup", 80, 80, 8, 8);
    EXPECT_GT(changed(before, pixels(harness.run(std::move(any)).get(), caps), 80, 80, 88, 88), 0);
}

TEST(Redact, leaves_frames_without_faces_alone_even_shared_ones) {
    const std::string caps = video_caps("NV12", kSize, kSize);
    Harness harness("sluiceredact");
    harness.set_caps(caps);
    Ref frame = make_frame(caps);
    const Ref other(gst_buffer_ref(frame.get()));
    GstMemory* memory = gst_buffer_peek_memory(other.get(), 0);
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

TEST(Redact, blacks_out_what_no_detector_looked_at_when_told_to_fail_closed) {
    const std::string caps = video_caps("NV12", kSize, kSize);
    Harness harness("sluiceredact", [](GstElement* element) {
        g_object_set(element, "fail-closed", TRUE, nullptr);
    });
    harness.set_caps(caps);
    const auto after = pixels(harness.run(make_frame(caps)).get(), caps);
    for (std::size_t i = 0; i < after.size(); ++i) {
        ASSERT_EQ(after[i], i < kSize * kSize ? 16 : 128) << i; // black, limited range
    }
    Ref looked_at = make_frame(caps, 1);
    const auto before = pixels(looked_at.get(), caps);
    (void)gst::relations(looked_at.get());
    EXPECT_EQ(pixels(harness.run(std::move(looked_at)).get(), caps), before);
    EXPECT_EQ(harness.stat("blacked-out-frames"), 1U);
}

// With the real detector before it: its notes decide.
TEST(Redact, fails_closed_on_frames_that_the_detector_only_repeated) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    for (const auto& [interval, black] : {std::pair{1U, 0U}, std::pair{2U, 2U}}) {
        GstElement* bin = gst_parse_bin_from_description(
            ("sluicefacedetect inference-interval=" + std::to_string(interval) +
             " ! sluiceredact name=redact fail-closed=true")
                .c_str(),
            TRUE, nullptr);
        GstHarness* harness = gst_harness_new_with_element(bin, "sink", "src");
        const std::string caps = video_caps("NV12", 128, 128);
        gst_harness_set_src_caps_str(harness, caps.c_str());
        for (std::uint64_t i = 0; i < 4; ++i) {
            gst_harness_push(harness, make_frame(caps, i).release());
        }
        const Ref redact(gst_bin_get_by_name(GST_BIN(bin), "redact"));
        EXPECT_EQ(stat_of(redact.get(), "blacked-out-frames"), black);
        gst_harness_teardown(harness);
        gst_object_unref(bin);
    }
}

} // namespace
} // namespace sluice::testing
