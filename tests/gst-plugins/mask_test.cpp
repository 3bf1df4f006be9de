// SPDX-License-Identifier: Apache-2.0
// FrameMask: mattes where they lie, everything else rewritten.
#include <functional>

#include <gtest/gtest.h>

#include "gst-plugins/background/mask.h"
#include "gst-plugins/common/analytics.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {
namespace {

// A mask buffer of this format; `value` gives each sample.
Ref<GstBuffer> make_mask(GstVideoFormat format, guint width, guint height,
                         const std::function<unsigned(guint, guint)>& value) {
    GstVideoInfo info;
    gst_video_info_set_format(&info, format, width, height);
    Ref buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, format, width, height);
    GstVideoFrame frame;
    EXPECT_TRUE(gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_WRITE));
    for (guint y = 0; y < height; ++y) {
        auto* row = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)) +
                    y * static_cast<guint>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));
        for (guint x = 0; x < width; ++x) {
            const auto sample = static_cast<guint16>(value(x, y));
            switch (format) {
            case GST_VIDEO_FORMAT_GRAY16_LE: GST_WRITE_UINT16_LE(row + 2 * x, sample); break;
            case GST_VIDEO_FORMAT_GRAY16_BE: GST_WRITE_UINT16_BE(row + 2 * x, sample); break;
            default: row[x] = static_cast<guint8>(sample);
            }
        }
    }
    gst_video_frame_unmap(&frame);
    return buffer;
}

struct Frame {
    Ref<GstBuffer> buffer{gst_buffer_new()};
    std::vector<std::uint8_t> scratch;

    void add(GstBuffer* mask, const std::vector<std::string>& labels,
             const MaskPlacement& at) const {
        RegionNames regions(labels);
        add_segmentation(relations(buffer.get()), mask, regions, at);
    }
    Result<FrameMask> mask(std::uint32_t width, std::uint32_t height) {
        GstAnalyticsSegmentationMtd found;
        EXPECT_TRUE(FrameMask::find(buffer.get(), &found));
        return FrameMask::create(found, width, height, scratch);
    }
};

std::uint8_t at(const FrameMask& mask, std::size_t x, std::size_t y) {
    return mask.mask().data[y * mask.mask().stride_bytes + x];
}

TEST(FrameMask, uses_a_matte_over_the_frame_where_it_lies) {
    Frame frame;
    const Ref matte =
        make_mask(GST_VIDEO_FORMAT_GRAY8, 10, 6, [](guint x, guint y) { return x * 20 + y; });
    frame.add(matte.get(), {"person"}, {.width = 100, .height = 60});
    const auto mask = frame.mask(100, 60);
    ASSERT_TRUE(mask.has_value());
    EXPECT_EQ(mask->mask().width, 10U);
    EXPECT_EQ(mask->mask().height, 6U);
    EXPECT_EQ(at(*mask, 9, 5), 185);
    EXPECT_TRUE(frame.scratch.empty());
}

TEST(FrameMask, makes_people_of_all_classes_but_the_one_named_background) {
    Frame frame;
    const Ref classes = make_mask(GST_VIDEO_FORMAT_GRAY8, 4, 1, [](guint x, guint) { return x; });
    frame.add(classes.get(), {"hair", "skin", "background", "other"}, {.width = 40, .height = 10});
    const auto mask = frame.mask(40, 10);
    ASSERT_TRUE(mask.has_value());
    EXPECT_EQ(at(*mask, 0, 0), 255);
    EXPECT_EQ(at(*mask, 1, 0), 255);
    EXPECT_EQ(at(*mask, 2, 0), 0);
    EXPECT_EQ(at(*mask, 3, 0), 255);
}

TEST(FrameMask, prefers_a_matte_to_a_map_of_classes) {
    Frame frame;
    const Ref classes = make_mask(GST_VIDEO_FORMAT_GRAY8, 4, 4, [](guint, guint) { return 1U; });
    const Ref matte = make_mask(GST_VIDEO_FORMAT_GRAY8, 4, 4, [](guint, guint) { return 77U; });
    frame.add(classes.get(), {"background", "hair"}, {.width = 4, .height = 4});
    frame.add(matte.get(), {"person"}, {.width = 4, .height = 4});
    const auto mask = frame.mask(4, 4);
    ASSERT_TRUE(mask.has_value());
    EXPECT_EQ(at(*mask, 2, 2), 77);
}

TEST(FrameMask, calls_background_what_a_mask_of_a_part_does_not_cover) {
    Frame frame;
    const Ref part = make_mask(GST_VIDEO_FORMAT_GRAY8, 20, 20, [](guint, guint) { return 200U; });
    frame.add(part.get(), {"person"}, {.x = 50, .y = 0, .width = 50, .height = 100});
    const auto mask = frame.mask(100, 100);
    ASSERT_TRUE(mask.has_value());
    const auto& out = mask->mask();
    EXPECT_EQ(at(*mask, out.width / 4, out.height / 2), 0);
    EXPECT_EQ(at(*mask, out.width * 3 / 4, out.height / 2), 200);
}

TEST(FrameMask, reads_sixteen_bits_in_both_orders) {
    for (const GstVideoFormat format : {GST_VIDEO_FORMAT_GRAY16_LE, GST_VIDEO_FORMAT_GRAY16_BE}) {
        Frame frame;
        const Ref matte = make_mask(format, 3, 3, [](guint, guint) { return 0xC0FFU; });
        frame.add(matte.get(), {"person"}, {.width = 3, .height = 3});
        const auto mask = frame.mask(3, 3);
        ASSERT_TRUE(mask.has_value());
        EXPECT_EQ(at(*mask, 1, 1), 0xC0);
    }
}

TEST(FrameMask, finds_nothing_on_frames_without_one) {
    const Frame frame;
    GstAnalyticsSegmentationMtd found;
    EXPECT_FALSE(FrameMask::find(frame.buffer.get(), &found));
    GstAnalyticsODMtd box;
    gst_analytics_relation_meta_add_od_mtd(relations(frame.buffer.get()), 0, 1, 2, 3, 4, 0.5F,
                                           &box);
    EXPECT_FALSE(FrameMask::find(frame.buffer.get(), &found));
}

TEST(DetectionNote, tells_frames_that_were_looked_at) {
    register_metas();
    const Ref untouched(gst_buffer_new());
    EXPECT_FALSE(detection_ran(untouched.get()));

    const Ref nobody(gst_buffer_new());
    (void)relations(nobody.get());
    EXPECT_TRUE(detection_ran(nobody.get())) << "an empty meta of another detector";
    note_detection(nobody.get(), true);
    EXPECT_TRUE(detection_ran(nobody.get()));

    const Ref repeated(gst_buffer_new());
    (void)relations(repeated.get());
    note_detection(repeated.get(), false);
    EXPECT_FALSE(detection_ran(repeated.get()));
    note_detection(repeated.get(), true);
    EXPECT_TRUE(detection_ran(repeated.get())) << "the note is updated";

    const Frame masked;
    const Ref matte = make_mask(GST_VIDEO_FORMAT_GRAY8, 2, 2, [](guint, guint) { return 0U; });
    masked.add(matte.get(), {"person"}, {.width = 2, .height = 2});
    EXPECT_FALSE(detection_ran(masked.buffer.get())) << "a mask is no detection";
    GstAnalyticsODMtd box;
    gst_analytics_relation_meta_add_od_mtd(relations(masked.buffer.get()), 0, 1, 2, 3, 4, 0.5F,
                                           &box);
    EXPECT_TRUE(detection_ran(masked.buffer.get()));

    const Ref lost(gst_buffer_new());
    note_detection(lost.get(), true);
    EXPECT_FALSE(detection_ran(lost.get())) << "the boxes were dropped on the way";
    const Ref copy(gst_buffer_copy(nobody.get()));
    EXPECT_TRUE(detection_ran(copy.get())) << "copies keep the note";
}

} // namespace
} // namespace sluice::gst
