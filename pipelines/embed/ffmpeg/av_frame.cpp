// SPDX-License-Identifier: Apache-2.0
// Describing AVFrames: formats, colorimetry, buffers and DRM descriptors.
#include "pipelines/embed/ffmpeg/av_frame.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

extern "C" {
#include <libavutil/buffer.h>
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_drm.h>
#include <libavutil/pixdesc.h>
}

#include "core/base/result.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::embed {
namespace {

using zero_copy::BasicFrameView;
using zero_copy::BasicPlane;
using zero_copy::ExternalFrame;
using zero_copy::FrameFormat;
using zero_copy::FrameMemory;
using zero_copy::MemoryPlane;
using zero_copy::PixelFormat;

constexpr int kLastLineOfBt601 = 576;

struct FormatPair {
    AVPixelFormat theirs;
    PixelFormat ours;
};
constexpr std::array kFormats{
    FormatPair{AV_PIX_FMT_NV12, PixelFormat::Nv12},
    FormatPair{AV_PIX_FMT_NV21, PixelFormat::Nv21},
    FormatPair{AV_PIX_FMT_YUV420P, PixelFormat::I420},
    FormatPair{AV_PIX_FMT_YUVJ420P, PixelFormat::I420},
    FormatPair{AV_PIX_FMT_YUYV422, PixelFormat::Yuy2},
    FormatPair{AV_PIX_FMT_UYVY422, PixelFormat::Uyvy},
    FormatPair{AV_PIX_FMT_P010LE, PixelFormat::P010},
    FormatPair{AV_PIX_FMT_RGB24, PixelFormat::Rgb},
    FormatPair{AV_PIX_FMT_BGR24, PixelFormat::Bgr},
    FormatPair{AV_PIX_FMT_RGBA, PixelFormat::Rgba},
    FormatPair{AV_PIX_FMT_BGRA, PixelFormat::Bgra},
    FormatPair{AV_PIX_FMT_RGB0, PixelFormat::Rgbx},
    FormatPair{AV_PIX_FMT_BGR0, PixelFormat::Bgrx},
    FormatPair{AV_PIX_FMT_GRAY8, PixelFormat::Gray8},
};

std::string_view format_name(int format) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(format));
    return name != nullptr ? name : "no pixel format";
}

Result<PixelFormat> pixel_format_of(int format) {
    const auto* pair =
        std::ranges::find(kFormats, static_cast<AVPixelFormat>(format), &FormatPair::theirs);
    if (pair == kFormats.end()) {
        return fail(ErrorCode::Unsupported,
                    "AVFrames of {} cannot be read in place; convert them, to yuv420p or nv12",
                    format_name(format));
    }
    return pair->ours;
}

bool is_full_range(const AVFrame& frame, AVPixelFormat format) {
    switch (frame.color_range) {
    case AVCOL_RANGE_JPEG: return true;
    case AVCOL_RANGE_MPEG: return false;
    default: return format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_GRAY8;
    }
}

zero_copy::ColorMatrix matrix_of(const AVFrame& frame) {
    switch (frame.colorspace) {
    case AVCOL_SPC_BT709: return zero_copy::ColorMatrix::Bt709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return zero_copy::ColorMatrix::Bt2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M: return zero_copy::ColorMatrix::Bt601;
    default: break;
    }
    return frame.height > kLastLineOfBt601 ? zero_copy::ColorMatrix::Bt709
                                           : zero_copy::ColorMatrix::Bt601;
}

zero_copy::ChromaSite site_of(const AVFrame& frame, bool full_range) {
    switch (frame.chroma_location) {
    case AVCHROMA_LOC_CENTER: return zero_copy::ChromaSite::Center;
    case AVCHROMA_LOC_TOPLEFT: return zero_copy::ChromaSite::TopLeft;
    case AVCHROMA_LOC_UNSPECIFIED:
        return full_range ? zero_copy::ChromaSite::Center : zero_copy::ChromaSite::Left;
    default: return zero_copy::ChromaSite::Left;
    }
}

// `software`: the format of the pixels, which hardware frames carry elsewhere.
Result<FrameFormat> format_of(const AVFrame& frame, int software) {
    SLUICE_TRY_ASSIGN(const PixelFormat pixel_format, pixel_format_of(software));
    if (frame.width <= 0 || frame.height <= 0) {
        return fail(ErrorCode::InvalidArgument, "the AVFrame is {}x{}; was a picture decoded?",
                    frame.width, frame.height);
    }
    if ((frame.crop_left | frame.crop_right | frame.crop_top | frame.crop_bottom) != 0) {
        return fail(ErrorCode::Unsupported,
                    "the AVFrame's cropping was not applied; call av_frame_apply_cropping()");
    }
    const bool full_range = is_full_range(frame, static_cast<AVPixelFormat>(software));
    return FrameFormat{.pixel_format = pixel_format,
                       .width = static_cast<std::uint32_t>(frame.width),
                       .height = static_cast<std::uint32_t>(frame.height),
                       .color = {.matrix = matrix_of(frame),
                                 .range = full_range ? zero_copy::ColorRange::Full
                                                     : zero_copy::ColorRange::Limited,
                                 .chroma_site = site_of(frame, full_range)}};
}

// Bytes from a plane's first one to the end of its buffer; of a frame without buffers, what the
// rows need.
std::size_t available_bytes(const AVFrame& frame, const FrameFormat& format, int plane) {
    const auto index = static_cast<std::size_t>(plane);
    const AVBufferRef* buffer = av_frame_get_plane_buffer(&frame, plane);
    if (buffer != nullptr) {
        return static_cast<std::size_t>(buffer->data + buffer->size - frame.data[index]);
    }
    const auto& info = zero_copy::info(format.pixel_format);
    return (zero_copy::plane_rows(info, index, format.height) - 1) *
               static_cast<std::size_t>(frame.linesize[index]) +
           zero_copy::row_bytes(info, index, format.width);
}

template <typename Byte>
struct HostPlanes {
    FrameFormat format;
    std::array<BasicPlane<Byte>, 4> planes{};
    std::size_t count = 0;
};

template <typename Byte>
Result<HostPlanes<Byte>> host_planes(const AVFrame& frame) {
    const AVPixFmtDescriptor* described =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (described != nullptr && (described->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0) {
        return fail(ErrorCode::Unsupported,
                    "the host does not see AVFrames of {}; map them with av_hwframe_map(), or give "
                    "them as DRM PRIME to a Vulkan device",
                    format_name(frame.format));
    }
    HostPlanes<Byte> out;
    SLUICE_TRY_ASSIGN(out.format, format_of(frame, frame.format));
    out.count = zero_copy::info(out.format.pixel_format).planes;
    for (std::size_t plane = 0; plane < out.count; ++plane) {
        if (frame.data[plane] == nullptr) {
            return fail(ErrorCode::InvalidArgument, "plane {} of the AVFrame has no data", plane);
        }
        if (frame.linesize[plane] <= 0) {
            return fail(ErrorCode::Unsupported,
                        "plane {} of the AVFrame has linesize {}: stored upside down; copy it "
                        "with av_frame_copy() or flip it",
                        plane, frame.linesize[plane]);
        }
        out.planes[plane] = {.data = reinterpret_cast<Byte*>(frame.data[plane]),
                             .stride_bytes = static_cast<std::size_t>(frame.linesize[plane]),
                             .size_bytes =
                                 available_bytes(frame, out.format, static_cast<int>(plane))};
    }
    return out;
}

// The pixels' format of a DRM frame: what its frames context says, else its only layer's fourcc.
Result<FrameFormat> drm_format_of(const AVFrame& frame, const AVDRMFrameDescriptor& drm) {
    if (frame.hw_frames_ctx != nullptr) {
        const auto* context = reinterpret_cast<const AVHWFramesContext*>(frame.hw_frames_ctx->data);
        return format_of(frame, context->sw_format);
    }
    if (drm.nb_layers != 1) {
        return fail(ErrorCode::Unsupported,
                    "a DRM PRIME AVFrame of {} layers without hw_frames_ctx does not say its "
                    "format; set one",
                    drm.nb_layers);
    }
    const auto ours = zero_copy::format_from_fourcc(drm.layers[0].format);
    const auto* pair = ours ? std::ranges::find(kFormats, *ours, &FormatPair::ours) : nullptr;
    if (pair == nullptr || pair == kFormats.end()) {
        return fail(ErrorCode::Unsupported,
                    "DRM format 0x{:08x} of a DRM PRIME AVFrame is none that Sluice reads",
                    drm.layers[0].format);
    }
    return format_of(frame, pair->theirs);
}

Result<ExternalFrame> drm_frame_of(const AVFrame& frame) {
    const auto* drm = reinterpret_cast<const AVDRMFrameDescriptor*>(frame.data[0]);
    if (drm == nullptr || drm->nb_objects < 1 ||
        drm->nb_objects > static_cast<int>(zero_copy::kMaxFrameMemories) || drm->nb_layers < 1 ||
        drm->nb_layers > AV_DRM_MAX_PLANES) {
        return fail(ErrorCode::InvalidArgument,
                    "a DRM PRIME AVFrame has no valid AVDRMFrameDescriptor");
    }
    SLUICE_TRY_ASSIGN(const FrameFormat format, drm_format_of(frame, *drm));
    const bool writable = av_frame_is_writable(const_cast<AVFrame*>(&frame)) > 0;
    std::array<FrameMemory, zero_copy::kMaxFrameMemories> memories;
    const auto objects = static_cast<std::size_t>(drm->nb_objects);
    for (std::size_t i = 0; i < objects; ++i) {
        SLUICE_TRY_ASSIGN(memories[i], zero_copy::dma_buf_memory(drm->objects[i].fd, {}, writable));
        if (drm->objects[i].format_modifier != drm->objects[0].format_modifier) {
            return fail(ErrorCode::Unsupported,
                        "the objects of a DRM PRIME AVFrame have different modifiers");
        }
    }
    std::array<MemoryPlane, zero_copy::kMaxFrameMemories> planes;
    std::size_t count = 0;
    for (const AVDRMLayerDescriptor& layer :
         std::span(drm->layers).first(static_cast<std::size_t>(drm->nb_layers))) {
        for (int i = 0; i < layer.nb_planes; ++i) {
            const AVDRMPlaneDescriptor& plane = layer.planes[i];
            if (count == planes.size() || i == AV_DRM_MAX_PLANES || plane.object_index < 0 ||
                plane.object_index >= drm->nb_objects || plane.offset < 0 || plane.pitch < 0) {
                return fail(ErrorCode::InvalidArgument,
                            "plane {} of a DRM PRIME AVFrame is out of bounds", count);
            }
            planes[count++] = {.memory = static_cast<std::uint8_t>(plane.object_index),
                               .offset_bytes = static_cast<std::size_t>(plane.offset),
                               .stride_bytes = static_cast<std::size_t>(plane.pitch)};
        }
    }
    return ExternalFrame::create(format, drm->objects[0].format_modifier,
                                 std::span(planes).first(count),
                                 std::span(memories).first(objects));
}

} // namespace

Result<zero_copy::FrameView> frame_of(const AVFrame& frame) {
    SLUICE_TRY_ASSIGN(const auto host, host_planes<const std::byte>(frame));
    return zero_copy::FrameView::create(host.format, std::span(host.planes).first(host.count));
}

Result<zero_copy::MutableFrameView> mutable_frame_of(AVFrame& frame) {
    SLUICE_TRY_ASSIGN(const auto host, host_planes<std::byte>(frame));
    if (av_frame_is_writable(&frame) <= 0) {
        return fail(ErrorCode::Unsupported, "others hold references to the AVFrame's buffers; call "
                                            "av_frame_make_writable(), which copies it");
    }
    return zero_copy::MutableFrameView::create(host.format,
                                               std::span(host.planes).first(host.count));
}

Result<zero_copy::ExternalFrame> external_frame_of(const AVFrame& frame) {
    if (frame.format == AV_PIX_FMT_DRM_PRIME) {
        return drm_frame_of(frame);
    }
    SLUICE_TRY_ASSIGN(const auto host, host_planes<std::byte>(frame));
    const bool writable = av_frame_is_writable(const_cast<AVFrame*>(&frame)) > 0;
    std::array<FrameMemory, zero_copy::kMaxFrameMemories> memories;
    std::array<MemoryPlane, zero_copy::kMaxFrameMemories> planes;
    for (std::size_t i = 0; i < host.count; ++i) {
        // No serial: FFmpeg does not say when an allocation ends.
        memories[i] = zero_copy::host_memory(
            std::span(host.planes[i].data, host.planes[i].size_bytes), 0, writable);
        planes[i] = {.memory = static_cast<std::uint8_t>(i),
                     .offset_bytes = 0,
                     .stride_bytes = host.planes[i].stride_bytes};
    }
    return ExternalFrame::create(host.format, zero_copy::kLinearModifier,
                                 std::span(planes).first(host.count),
                                 std::span(memories).first(host.count));
}

} // namespace sluice::embed
