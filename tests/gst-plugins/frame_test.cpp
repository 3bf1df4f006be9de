// SPDX-License-Identifier: Apache-2.0
// MappedFrame and caps: strides, offsets, shared, split and too small memory.
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/frame.h"
#include "tests/gst-plugins/support.h"

namespace sluice::gst {
namespace {

Video parse(const std::string& text) {
    const Ref caps(gst_caps_from_string(text.c_str()));
    auto video = parse_caps(caps.get());
    EXPECT_TRUE(video.has_value()) << text;
    return *video;
}

TEST(Caps, offer_every_format_of_the_table_in_its_order) {
    const Ref caps = video_caps();
    const GValue* list = gst_structure_get_value(gst_caps_get_structure(caps.get(), 1), "format");
    ASSERT_EQ(gst_value_list_get_size(list), zero_copy::formats().size());
    for (guint i = 0; i < gst_value_list_get_size(list); ++i) {
        const char* name = g_value_get_string(gst_value_list_get_value(list, i));
        EXPECT_EQ(zero_copy::formats()[i].gst_name, name);
        EXPECT_NE(gst_video_format_from_string(name), GST_VIDEO_FORMAT_UNKNOWN) << name;
    }
}

TEST(Caps, carry_colorimetry_range_and_siting) {
    const Video hd = parse("video/x-raw,format=NV12,width=1280,height=720,framerate=25/1,"
                           "colorimetry=bt709,chroma-site=mpeg2");
    EXPECT_EQ(hd.format.color,
              (zero_copy::Colorimetry{zero_copy::ColorMatrix::Bt709, zero_copy::ColorRange::Limited,
                                      zero_copy::ChromaSite::Left}));
    const Video jpeg = parse("video/x-raw,format=I420,width=64,height=48,framerate=0/1,"
                             "colorimetry=1:4:0:0,chroma-site=jpeg");
    EXPECT_EQ(jpeg.format.color,
              (zero_copy::Colorimetry{zero_copy::ColorMatrix::Bt601, zero_copy::ColorRange::Full,
                                      zero_copy::ChromaSite::Center}));
    const Video uhd = parse("video/x-raw,format=P010_10LE,width=64,height=48,framerate=0/1,"
                            "colorimetry=bt2020,chroma-site=cosited");
    EXPECT_EQ(uhd.format.color, (zero_copy::Colorimetry{zero_copy::ColorMatrix::Bt2020,
                                                        zero_copy::ColorRange::Limited,
                                                        zero_copy::ChromaSite::TopLeft}));
    const Ref wrong(gst_caps_from_string("video/x-raw,format=ARGB64,width=8,height=8"));
    EXPECT_EQ(parse_caps(wrong.get()).error().code, ErrorCode::Unsupported);
    const Ref audio(gst_caps_from_string("audio/x-raw"));
    EXPECT_EQ(parse_caps(audio.get()).error().code, ErrorCode::Unsupported);
}

class MappedFormat : public ::testing::TestWithParam<std::size_t> {};

// The view must show what gst_video_frame_map() shows, whatever the padding.
TEST_P(MappedFormat, agrees_with_gstreamer_row_by_row) {
    const auto& format = zero_copy::formats()[GetParam()];
    for (const auto& [width, height] : {std::pair{1, 1}, {33, 17}, {64, 48}}) {
        for (const int padding : {0, 6}) {
            const std::string text =
                testing::video_caps(std::string(format.gst_name), width, height);
            const Ref frame = testing::make_frame(text, 3, padding);
            CopyLedger copies;
            const Video video = parse(text);
            const auto mapped = MappedFrame::read(frame.get(), video, copies);
            ASSERT_TRUE(mapped.has_value()) << mapped.error().message;
            GstVideoFrame peer;
            ASSERT_TRUE(gst_video_frame_map(&peer, &video.info, frame.get(), GST_MAP_READ));
            const auto view = mapped->view();
            for (std::size_t p = 0; p < format.planes; ++p) {
                EXPECT_EQ(static_cast<const void*>(view.row(p, 0)),
                          GST_VIDEO_FRAME_PLANE_DATA(&peer, p));
                EXPECT_EQ(view.plane(p).stride_bytes,
                          static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&peer, p)));
            }
            gst_video_frame_unmap(&peer);
            EXPECT_EQ(copies.total_bytes(), 0U);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Formats, MappedFormat,
                         ::testing::Range<std::size_t>(0, zero_copy::formats().size()));

TEST(MappedFrame, counts_the_merge_of_a_plane_split_over_memories) {
    const std::string text = testing::video_caps("GRAY8", 64, 64);
    const Ref whole = testing::make_frame(text);
    const auto expected = testing::pixels(whole.get(), text);
    const Ref split(gst_buffer_new());
    GstMemory* memory = gst_buffer_peek_memory(whole.get(), 0);
    // Copies, because shares of one memory lie side by side and need no merging.
    gst_buffer_append_memory(split.get(), gst_memory_copy(memory, 0, 1000));
    gst_buffer_append_memory(split.get(), gst_memory_copy(memory, 1000, 64 * 64 - 1000));
    gst_buffer_add_video_meta(split.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 64,
                              64);
    CopyLedger copies;
    const auto mapped = MappedFrame::read(split.get(), parse(text), copies);
    ASSERT_TRUE(mapped.has_value()) << mapped.error().message;
    EXPECT_EQ(copies.bytes(CopyReason::UnmappableFrame), 64U * 64U);
    for (std::size_t y = 0; y < 64; ++y) {
        EXPECT_EQ(std::memcmp(mapped->view().row(0, y), &expected[y * 64], 64), 0) << y;
    }
}

TEST(MappedFrame, reads_planes_in_memories_of_their_own_without_merging) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const Ref frame(gst_buffer_new());
    gst_buffer_append_memory(frame.get(), gst_allocator_alloc(nullptr, 64 * 48, nullptr));
    gst_buffer_append_memory(frame.get(), gst_allocator_alloc(nullptr, 64 * 24, nullptr));
    gsize offsets[GST_VIDEO_MAX_PLANES]{0, 64 * 48};
    gint strides[GST_VIDEO_MAX_PLANES]{64, 64};
    gst_buffer_add_video_meta_full(frame.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12,
                                   64, 48, 2, offsets, strides);
    CopyLedger copies;
    const auto mapped = MappedFrame::read_write(frame.get(), parse(text), copies);
    ASSERT_TRUE(mapped.has_value()) << mapped.error().message;
    EXPECT_EQ(copies.total_bytes(), 0U);
}

TEST(MappedFrame, counts_the_copy_that_writing_shared_memory_costs) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const Ref frame = testing::make_frame(text);
    const auto before = testing::pixels(frame.get(), text);
    const Ref copy(gst_buffer_copy(frame.get())); // shares the memory
    CopyLedger copies;
    {
        const auto mapped = MappedFrame::read_write(copy.get(), parse(text), copies);
        ASSERT_TRUE(mapped.has_value()) << mapped.error().message;
        *mapped->mutable_view().row(0, 0) ^= std::byte{0xFF};
    }
    EXPECT_EQ(copies.bytes(CopyReason::NotWritable), 64U * 48U * 3U / 2U);
    EXPECT_EQ(testing::pixels(frame.get(), text), before) << "the other buffer was written";
    EXPECT_NE(testing::pixels(copy.get(), text), before);
}

TEST(MappedFrame, refuses_memory_that_is_too_small) {
    const std::string text = testing::video_caps("RGB", 64, 48);
    const Ref small(gst_buffer_new_allocate(nullptr, 100, nullptr));
    CopyLedger copies;
    EXPECT_FALSE(MappedFrame::read(small.get(), parse(text), copies).has_value());

    // A meta that promises more than there is.
    const Ref lying(gst_buffer_new_allocate(nullptr, 64 * 48 * 3, nullptr));
    gsize offsets[GST_VIDEO_MAX_PLANES]{64};
    gint strides[GST_VIDEO_MAX_PLANES]{192};
    gst_buffer_add_video_meta_full(lying.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 64,
                                   48, 1, offsets, strides);
    EXPECT_FALSE(MappedFrame::read(lying.get(), parse(text), copies).has_value());
}

TEST(MappedFrame, reads_a_linear_dmabuf_where_it_lies) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const int fd = memfd_create("frame", MFD_CLOEXEC);
    ASSERT_GE(fd, 0);
    constexpr gsize kSize = 64 * 48 * 3 / 2;
    ASSERT_EQ(ftruncate(fd, kSize), 0);
    GstAllocator* allocator = gst_dmabuf_allocator_new();
    const Ref frame(gst_buffer_new());
    gst_buffer_append_memory(frame.get(), gst_dmabuf_allocator_alloc(allocator, fd, kSize));
    CopyLedger copies;
    const auto mapped = MappedFrame::read(frame.get(), parse(text), copies);
    ASSERT_TRUE(mapped.has_value()) << mapped.error().message;
    // Written through the file, read through the view: the same pages.
    const std::uint8_t mark = 0xA5;
    ASSERT_EQ(pwrite(fd, &mark, 1, 64 * 7 + 5), 1);
    EXPECT_EQ(mapped->view().row(0, 7)[5], std::byte{mark});
    EXPECT_EQ(copies.total_bytes(), 0U);
    gst_object_unref(allocator);
}

} // namespace
} // namespace sluice::gst
