// SPDX-License-Identifier: Apache-2.0
// Mapping of buffers, plane by plane where possible.
#include "gst-plugins/common/frame.h"

#include <array>
#include <span>
#include <utility>

#include "core/base/checked_math.h"

namespace sluice::gst {

namespace {

using zero_copy::MutablePlane;

// Bytes from a plane's first to its last sample.
std::optional<std::size_t> extent(const Video& video, std::size_t plane, std::size_t stride) {
    const auto& format = zero_copy::info(video.format.pixel_format);
    const std::size_t rows = zero_copy::plane_rows(format, plane, video.format.height);
    const auto padded = checked_mul<std::size_t>(stride, rows - 1);
    return padded ? checked_add<std::size_t>(
                        *padded, zero_copy::row_bytes(format, plane, video.format.width))
                  : std::nullopt;
}

// gst_video_frame_map() looks only at the memory that holds a plane's first byte.
bool planes_lie_in_one_memory_each(GstBuffer* buffer, const GstVideoMeta& meta,
                                   const Video& video) {
    for (guint plane = 0; plane < meta.n_planes; ++plane) {
        const auto bytes = meta.stride[plane] > 0
                               ? extent(video, plane, static_cast<std::size_t>(meta.stride[plane]))
                               : std::nullopt;
        guint first = 0;
        guint count = 0;
        gsize skip = 0;
        if (!bytes ||
            gst_buffer_find_memory(buffer, meta.offset[plane], *bytes, &first, &count, &skip) ==
                FALSE ||
            count != 1) {
            return false;
        }
    }
    return true;
}

// Mapping shared or read-only memory for writing makes GStreamer duplicate it.
void count_unwritable(GstBuffer* buffer, CopyLedger& copies) {
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
        if (gst_buffer_is_memory_range_writable(buffer, i, 1) == FALSE) {
            copies.count(CopyReason::NotWritable,
                         gst_memory_get_sizes(gst_buffer_peek_memory(buffer, i), nullptr, nullptr));
        }
    }
}

Result<std::size_t> positive_stride(gint stride, std::size_t plane) {
    if (stride <= 0) {
        return fail(ErrorCode::Unsupported, "plane {} has stride {}; only positive ones are read",
                    plane, stride);
    }
    return static_cast<std::size_t>(stride);
}

} // namespace

Result<MappedFrame> MappedFrame::read(GstBuffer* buffer, const Video& video, CopyLedger& copies) {
    return map(buffer, video, GST_MAP_READ, copies);
}

Result<MappedFrame> MappedFrame::read_write(GstBuffer* buffer, const Video& video,
                                            CopyLedger& copies) {
    return map(buffer, video, GST_MAP_READWRITE, copies);
}

Result<MappedFrame> MappedFrame::write(GstBuffer* buffer, const Video& video, CopyLedger& copies) {
    return map(buffer, video, GST_MAP_WRITE, copies);
}

Result<MappedFrame> MappedFrame::map(GstBuffer* buffer, const Video& video, GstMapFlags flags,
                                     CopyLedger& copies) {
    MappedFrame mapped;
    if ((flags & GST_MAP_WRITE) != 0 && (flags & GST_MAP_READ) != 0) {
        count_unwritable(buffer, copies);
    }
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    if (meta != nullptr && meta->format != GST_VIDEO_INFO_FORMAT(&video.info)) {
        return fail(ErrorCode::InvalidArgument, "a buffer's video meta says {}, its caps say {}",
                    gst_video_format_to_string(meta->format),
                    gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&video.info)));
    }
    if (meta != nullptr && planes_lie_in_one_memory_each(buffer, *meta, video)) {
        SLUICE_TRY(mapped.map_planes(buffer, video, flags));
    } else {
        if (gst_buffer_n_memory(buffer) > 1) {
            copies.count(CopyReason::UnmappableFrame, gst_buffer_get_size(buffer));
        }
        SLUICE_TRY(mapped.map_whole(buffer, video, flags));
    }
    return mapped;
}

Status MappedFrame::map_planes(GstBuffer* buffer, const Video& video, GstMapFlags flags) {
    const auto no_ref = static_cast<GstMapFlags>(static_cast<int>(flags) |
                                                 static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF));
    if (gst_video_frame_map(&frame_, &video.info, buffer, no_ref) == FALSE) {
        return fail(ErrorCode::Io, "a frame of {} bytes cannot be mapped",
                    gst_buffer_get_size(buffer));
    }
    how_ = How::Planes;
    std::array<MutablePlane, GST_VIDEO_MAX_PLANES> planes;
    const std::size_t count = GST_VIDEO_FRAME_N_PLANES(&frame_);
    for (std::size_t i = 0; i < count; ++i) {
        SLUICE_TRY_ASSIGN(const std::size_t stride,
                          positive_stride(GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, i), i));
        auto* data = static_cast<std::byte*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i));
        const auto* end = reinterpret_cast<std::byte*>(frame_.map[i].data + frame_.map[i].size);
        planes[i] = {.data = data,
                     .stride_bytes = stride,
                     .size_bytes = static_cast<std::size_t>(end - data)};
    }
    SLUICE_TRY_ASSIGN(
        view_, zero_copy::MutableFrameView::create(video.format, std::span(planes).first(count)));
    return {};
}

Status MappedFrame::map_whole(GstBuffer* buffer, const Video& video, GstMapFlags flags) {
    if (gst_buffer_map(buffer, &whole_, flags) == FALSE) {
        return fail(ErrorCode::Io, "a buffer of {} bytes cannot be mapped",
                    gst_buffer_get_size(buffer));
    }
    how_ = How::Whole;
    buffer_ = buffer;
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    std::array<MutablePlane, GST_VIDEO_MAX_PLANES> planes;
    const std::size_t count = GST_VIDEO_INFO_N_PLANES(&video.info);
    for (std::size_t i = 0; i < count; ++i) {
        const gsize offset = meta != nullptr ? meta->offset[i] : video.info.offset[i];
        SLUICE_TRY_ASSIGN(
            const std::size_t stride,
            positive_stride(meta != nullptr ? meta->stride[i] : video.info.stride[i], i));
        if (offset >= whole_.size) {
            return fail(ErrorCode::InvalidArgument,
                        "plane {} begins at byte {} of a buffer of {} bytes", i, offset,
                        whole_.size);
        }
        planes[i] = {.data = reinterpret_cast<std::byte*>(whole_.data + offset),
                     .stride_bytes = stride,
                     .size_bytes = whole_.size - offset};
    }
    SLUICE_TRY_ASSIGN(
        view_, zero_copy::MutableFrameView::create(video.format, std::span(planes).first(count)));
    return {};
}

MappedFrame::MappedFrame(MappedFrame&& other) noexcept
    : how_(std::exchange(other.how_, How::Unmapped)), frame_(other.frame_), buffer_(other.buffer_),
      whole_(other.whole_), view_(other.view_) {}

MappedFrame::~MappedFrame() {
    switch (how_) {
    case How::Unmapped: break;
    case How::Planes: gst_video_frame_unmap(&frame_); break;
    case How::Whole: gst_buffer_unmap(buffer_, &whole_); break;
    }
}

} // namespace sluice::gst
