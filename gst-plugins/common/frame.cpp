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

// Where the planes begin, by the buffer's GstVideoMeta, else by the caps.
struct Layout {
    std::size_t planes = 0;
    const gsize* offsets = nullptr;
    const gint* strides = nullptr;
};

Result<Layout> layout_of(GstBuffer* buffer, const Video& video) {
    const GstVideoInfo& info = video.info;
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    if (meta == nullptr) {
        return Layout{.planes = GST_VIDEO_INFO_N_PLANES(&info),
                      .offsets = info.offset,
                      .strides = info.stride};
    }
    // Some producers of dmabufs write DMA_DRM there, some the format itself.
    if (meta->format != GST_VIDEO_INFO_FORMAT(&info) && meta->format != GST_VIDEO_FORMAT_DMA_DRM) {
        return fail(ErrorCode::InvalidArgument, "a buffer's video meta says {}, its caps say {}",
                    gst_video_format_to_string(meta->format),
                    gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)));
    }
    if (meta->width < video.format.width || meta->height < video.format.height ||
        meta->n_planes != GST_VIDEO_INFO_N_PLANES(&info)) {
        return fail(ErrorCode::InvalidArgument,
                    "a buffer's video meta says {}x{} pixels in {} planes, its caps say {}x{} in "
                    "{}",
                    meta->width, meta->height, meta->n_planes, video.format.width,
                    video.format.height, GST_VIDEO_INFO_N_PLANES(&info));
    }
    return Layout{.planes = meta->n_planes, .offsets = meta->offset, .strides = meta->stride};
}

// Whether no plane is spread over several memories: then nothing has to be merged.
bool planes_lie_in_one_memory_each(GstBuffer* buffer, const Layout& layout, const Video& video) {
    for (std::size_t plane = 0; plane < layout.planes; ++plane) {
        const auto bytes =
            layout.strides[plane] > 0
                ? extent(video, plane, static_cast<std::size_t>(layout.strides[plane]))
                : std::nullopt;
        guint first = 0;
        guint count = 0;
        gsize skip = 0;
        if (!bytes ||
            gst_buffer_find_memory(buffer, layout.offsets[plane], *bytes, &first, &count, &skip) ==
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

Status check_plane(std::size_t plane, gsize offset, gint stride, gsize size) {
    if (stride <= 0) {
        return fail(ErrorCode::Unsupported, "plane {} has stride {}; only positive ones are read",
                    plane, stride);
    }
    if (offset >= size) {
        return fail(ErrorCode::InvalidArgument,
                    "plane {} begins at byte {} of a buffer of {} bytes", plane, offset, size);
    }
    return {};
}

MutablePlane plane_at(const GstMapInfo& bytes, gsize offset, gint stride) {
    return {.data = reinterpret_cast<std::byte*>(bytes.data + offset),
            .stride_bytes = static_cast<std::size_t>(stride),
            .size_bytes = bytes.size - offset};
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
    SLUICE_TRY_ASSIGN(const Layout layout, layout_of(buffer, video));
    mapped.buffer_ = buffer;
    std::array<MutablePlane, GST_VIDEO_MAX_PLANES> planes{};
    if (planes_lie_in_one_memory_each(buffer, layout, video)) {
        for (std::size_t i = 0; i < layout.planes; ++i) {
            guint memory = 0;
            guint count = 0;
            gsize skip = 0;
            gst_buffer_find_memory(buffer, layout.offsets[i], 1, &memory, &count, &skip);
            SLUICE_TRY_ASSIGN(const GstMapInfo* bytes, mapped.map_range(memory, 1, flags));
            planes[i] = plane_at(*bytes, skip, layout.strides[i]);
        }
    } else {
        if (gst_buffer_n_memory(buffer) > 1) {
            copies.count(CopyReason::UnmappableFrame, gst_buffer_get_size(buffer));
        }
        SLUICE_TRY_ASSIGN(const GstMapInfo* bytes, mapped.map_range(0, -1, flags));
        for (std::size_t i = 0; i < layout.planes; ++i) {
            SLUICE_TRY(check_plane(i, layout.offsets[i], layout.strides[i], bytes->size));
            planes[i] = plane_at(*bytes, layout.offsets[i], layout.strides[i]);
        }
    }
    SLUICE_TRY_ASSIGN(mapped.view_, zero_copy::MutableFrameView::create(
                                        video.format, std::span(planes).first(layout.planes)));
    return mapped;
}

// A memory is mapped once however many planes lie in it: each mapping of a dmabuf is two calls of
// the kernel.
Result<const GstMapInfo*> MappedFrame::map_range(guint memory, gint length, GstMapFlags flags) {
    for (std::size_t i = 0; i < mappings_; ++i) {
        if (memories_[i] == memory) {
            return &maps_[i];
        }
    }
    if (gst_buffer_map_range(buffer_, memory, length, &maps_[mappings_], flags) == FALSE) {
        return fail(ErrorCode::Io, "a buffer of {} bytes cannot be mapped",
                    gst_buffer_get_size(buffer_));
    }
    memories_[mappings_] = memory;
    return &maps_[mappings_++];
}

MappedFrame::MappedFrame(MappedFrame&& other) noexcept
    : buffer_(other.buffer_), mappings_(std::exchange(other.mappings_, 0)),
      memories_(other.memories_), maps_(other.maps_), view_(other.view_) {}

MappedFrame::~MappedFrame() {
    while (mappings_ > 0) {
        gst_buffer_unmap(buffer_, &maps_[--mappings_]);
    }
}

} // namespace sluice::gst
