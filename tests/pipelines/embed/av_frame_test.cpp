// SPDX-License-Identifier: Apache-2.0
// AVFrames as frames: planes, colorimetry, DRM descriptors, what is refused.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/mman.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipelines/embed/ffmpeg/av_frame.h"

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/hwcontext_drm.h>
#include <libavutil/pixdesc.h>
}

#include "core/base/unique_fd.h"
#include "tests/support/must.h"
#include "zero_copy/dmabuf.h"
#include "zero_copy/pixel_format.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using zero_copy::ChromaSite;
using zero_copy::ColorMatrix;
using zero_copy::ColorRange;
using zero_copy::PixelFormat;

struct Freer {
    void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
using Owned = std::unique_ptr<AVFrame, Freer>;

Owned make_frame(AVPixelFormat format, int width, int height) {
    Owned frame(av_frame_alloc());
    frame->format = format;
    frame->width = width;
    frame->height = height;
    if (av_frame_get_buffer(frame.get(), 0) < 0) {
        throw std::runtime_error("av_frame_get_buffer failed");
    }
    return frame;
}

template <typename T>
std::string refusal(const Result<T>& result) {
    return result ? "nothing was refused" : result.error().message;
}

struct FormatCase {
    AVPixelFormat theirs;
    PixelFormat ours;
};

void PrintTo(const FormatCase& test, std::ostream* out) {
    *out << av_get_pix_fmt_name(test.theirs);
}

class AvFrameFormats : public ::testing::TestWithParam<FormatCase> {};

// The planes' first bytes are FFmpeg's, and no row of ours ends behind the rows of theirs.
TEST_P(AvFrameFormats, lie_where_ffmpeg_has_them) {
    const Owned frame = make_frame(GetParam().theirs, 33, 17);
    const auto view = must(embed::frame_of(*frame));
    EXPECT_EQ(view.format().pixel_format, GetParam().ours);
    const auto& info = zero_copy::info(GetParam().ours);
    ASSERT_EQ(static_cast<int>(info.planes), av_pix_fmt_count_planes(GetParam().theirs));
    for (std::size_t plane = 0; plane < info.planes; ++plane) {
        EXPECT_EQ(reinterpret_cast<const std::uint8_t*>(view.plane(plane).data),
                  frame->data[plane]);
        EXPECT_EQ(view.plane(plane).stride_bytes, static_cast<std::size_t>(frame->linesize[plane]));
    }
}

INSTANTIATE_TEST_SUITE_P(All, AvFrameFormats,
                         ::testing::Values(FormatCase{AV_PIX_FMT_NV12, PixelFormat::Nv12},
                                           FormatCase{AV_PIX_FMT_NV21, PixelFormat::Nv21},
                                           FormatCase{AV_PIX_FMT_YUV420P, PixelFormat::I420},
                                           FormatCase{AV_PIX_FMT_YUVJ420P, PixelFormat::I420},
                                           FormatCase{AV_PIX_FMT_YUYV422, PixelFormat::Yuy2},
                                           FormatCase{AV_PIX_FMT_UYVY422, PixelFormat::Uyvy},
                                           FormatCase{AV_PIX_FMT_P010LE, PixelFormat::P010},
                                           FormatCase{AV_PIX_FMT_RGB24, PixelFormat::Rgb},
                                           FormatCase{AV_PIX_FMT_BGR24, PixelFormat::Bgr},
                                           FormatCase{AV_PIX_FMT_RGBA, PixelFormat::Rgba},
                                           FormatCase{AV_PIX_FMT_BGRA, PixelFormat::Bgra},
                                           FormatCase{AV_PIX_FMT_RGB0, PixelFormat::Rgbx},
                                           FormatCase{AV_PIX_FMT_BGR0, PixelFormat::Bgrx},
                                           FormatCase{AV_PIX_FMT_GRAY8, PixelFormat::Gray8}),
                         [](const auto& test) {
                             return std::string(av_get_pix_fmt_name(test.param.theirs));
                         });

TEST(AvFrame, has_the_colours_that_it_names) {
    const Owned frame = make_frame(AV_PIX_FMT_YUV420P, 64, 64);
    frame->colorspace = AVCOL_SPC_BT2020_NCL;
    frame->color_range = AVCOL_RANGE_JPEG;
    frame->chroma_location = AVCHROMA_LOC_TOPLEFT;
    const zero_copy::Colorimetry named{.matrix = ColorMatrix::Bt2020,
                                       .range = ColorRange::Full,
                                       .chroma_site = ChromaSite::TopLeft};
    EXPECT_EQ(must(embed::frame_of(*frame)).format().color, named);
}

TEST(AvFrame, has_the_usual_colours_where_it_names_none) {
    const zero_copy::Colorimetry small{.matrix = ColorMatrix::Bt601,
                                       .range = ColorRange::Limited,
                                       .chroma_site = ChromaSite::Left};
    EXPECT_EQ(must(embed::frame_of(*make_frame(AV_PIX_FMT_NV12, 720, 576))).format().color, small);
    zero_copy::Colorimetry large = small;
    large.matrix = ColorMatrix::Bt709;
    EXPECT_EQ(must(embed::frame_of(*make_frame(AV_PIX_FMT_NV12, 1280, 720))).format().color, large);
    const zero_copy::Colorimetry jpeg{
        .matrix = ColorMatrix::Bt601, .range = ColorRange::Full, .chroma_site = ChromaSite::Center};
    EXPECT_EQ(must(embed::frame_of(*make_frame(AV_PIX_FMT_YUVJ420P, 64, 64))).format().color, jpeg);
}

TEST(AvFrame, is_written_only_by_its_one_owner) {
    const Owned frame = make_frame(AV_PIX_FMT_NV12, 64, 64);
    EXPECT_TRUE(embed::mutable_frame_of(*frame).has_value());
    EXPECT_TRUE(must(embed::external_frame_of(*frame)).writable());
    const Owned second(av_frame_clone(frame.get()));
    EXPECT_THAT(refusal(embed::mutable_frame_of(*frame)), HasSubstr("av_frame_make_writable()"));
    EXPECT_FALSE(must(embed::external_frame_of(*frame)).writable());
    EXPECT_TRUE(embed::frame_of(*frame).has_value());
}

TEST(AvFrame, refuses_what_it_cannot_read_in_place) {
    EXPECT_THAT(refusal(embed::frame_of(*make_frame(AV_PIX_FMT_YUV444P, 64, 64))),
                HasSubstr("yuv444p"));
    const Owned empty(av_frame_alloc());
    EXPECT_THAT(refusal(embed::frame_of(*empty)), HasSubstr("no pixel format"));
    Owned frame = make_frame(AV_PIX_FMT_GRAY8, 64, 64);
    frame->crop_top = 2;
    EXPECT_THAT(refusal(embed::frame_of(*frame)), HasSubstr("av_frame_apply_cropping()"));
    frame->crop_top = 0;
    frame->linesize[0] = -frame->linesize[0];
    EXPECT_THAT(refusal(embed::frame_of(*frame)), HasSubstr("upside down"));
    frame->format = AV_PIX_FMT_VAAPI;
    EXPECT_THAT(refusal(embed::frame_of(*frame)), HasSubstr("av_hwframe_map()"));
}

// Its rows would end behind its buffer.
TEST(AvFrame, refuses_a_height_that_its_buffer_has_not) {
    const Owned frame = make_frame(AV_PIX_FMT_RGBA, 64, 64);
    frame->height = 6400;
    EXPECT_FALSE(embed::frame_of(*frame).has_value());
    EXPECT_FALSE(embed::external_frame_of(*frame).has_value());
}

Owned drm_frame(AVDRMFrameDescriptor& descriptor, int fd) {
    descriptor = {};
    descriptor.nb_objects = 1;
    descriptor.objects[0] = {.fd = fd, .size = 64 * 96, .format_modifier = 0};
    descriptor.nb_layers = 1;
    descriptor.layers[0].format = zero_copy::fourcc_code(zero_copy::info(PixelFormat::Nv12));
    descriptor.layers[0].nb_planes = 2;
    descriptor.layers[0].planes[0] = {.object_index = 0, .offset = 0, .pitch = 64};
    descriptor.layers[0].planes[1] = {.object_index = 0, .offset = 64 * 64, .pitch = 64};
    Owned frame(av_frame_alloc());
    frame->format = AV_PIX_FMT_DRM_PRIME;
    frame->width = 64;
    frame->height = 64;
    frame->data[0] = reinterpret_cast<std::uint8_t*>(&descriptor);
    return frame;
}

TEST(AvFrame, names_the_dmabufs_of_drm_prime) {
    if (!zero_copy::can_make_dmabufs()) {
        GTEST_SKIP() << "this kernel makes no dmabufs (no /dev/udmabuf, no /dev/dma_heap/system)";
    }
    const UniqueFd fd = must(zero_copy::make_dmabuf(64 * 96));
    AVDRMFrameDescriptor descriptor;
    const auto frame = must(embed::external_frame_of(*drm_frame(descriptor, fd.get())));
    EXPECT_EQ(frame.format().pixel_format, PixelFormat::Nv12);
    ASSERT_EQ(frame.memories().size(), 1U);
    EXPECT_EQ(frame.memories()[0].kind, zero_copy::MemoryKind::DmaBuf);
    ASSERT_EQ(frame.planes().size(), 2U);
    EXPECT_EQ(frame.planes()[1].offset_bytes, 64U * 64);
}

TEST(AvFrame, refuses_drm_prime_that_does_not_add_up) {
    const UniqueFd fd(::memfd_create("frame", MFD_CLOEXEC));
    AVDRMFrameDescriptor descriptor;
    const Owned frame = drm_frame(descriptor, fd.get());
    EXPECT_THAT(refusal(embed::frame_of(*frame)), HasSubstr("DRM PRIME to a Vulkan device"));
    EXPECT_THAT(refusal(embed::external_frame_of(*frame)), HasSubstr("dmabuf"));
    descriptor.layers[0].format = 0x20203852U ^ 0x01010101U;
    EXPECT_THAT(refusal(embed::external_frame_of(*frame)), HasSubstr("DRM format 0x"));
    descriptor.nb_layers = 2;
    EXPECT_THAT(refusal(embed::external_frame_of(*frame)), HasSubstr("hw_frames_ctx"));
    descriptor.nb_objects = 5;
    EXPECT_THAT(refusal(embed::external_frame_of(*frame)), HasSubstr("AVDRMFrameDescriptor"));
    frame->data[0] = nullptr;
    EXPECT_THAT(refusal(embed::external_frame_of(*frame)), HasSubstr("AVDRMFrameDescriptor"));
}

} // namespace
} // namespace sluice::testing
