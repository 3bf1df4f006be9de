// SPDX-License-Identifier: Apache-2.0
// Mapping of buffers, plane by plane where possible.
#include "gst-plugins/common/frame.h"

#include <array>
#include <span>
#include <utility>

#include "gst-plugins/common/layout.h"

namespace sluice::gst {

namespace {

using zero_copy::MutablePlane;

// Whether no plane is spread over several memories: then nothing has to be merged.
bool planes_lie_in_one_memory_each(GstBuffer* buffer, const Layout& layout, const Video& video) {
    for (std::size_t plane = 0; plane < layout.planes; ++plane) {
        if (!place_of(buffer, layout, video, plane)) {
            return false;
        }
    }
    return true;
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
    if (video.in_images) {
        return fail(ErrorCode::Unsupported,
                    "the device refused an image that the CPU cannot read in its place "
                    "(GST_DEBUG=sluicefilter:4 says why); put vulkandownload before");
    }
    if (!video.linear()) {
        return fail(ErrorCode::Unsupported,
                    "the device refused a dmabuf of modifier 0x{:016x}, which the CPU cannot read "
                    "in its place (GST_DEBUG=sluicefilter:4 says why); ask upstream for linear "
                    "dmabufs or plain video/x-raw",
                    video.modifier);
    }
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
