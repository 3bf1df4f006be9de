// SPDX-License-Identifier: Apache-2.0
// GstMemory to FrameMemory, plane by plane.
#include "gst-plugins/common/external_frame.h"

#include <algorithm>
#include <span>

#include <gst/allocators/gstdmabuf.h>
#include <gst/allocators/gstfdmemory.h>

#include "gst-plugins/common/vulkan_share.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace sluice::gst {

using zero_copy::CpuAccess;
using zero_copy::FrameMemory;
using zero_copy::MemoryPlane;

namespace {

std::span<std::byte> bytes_of(const GstMapInfo& map) {
    return {reinterpret_cast<std::byte*>(map.data), map.size};
}

// GStreamer replaces memory that must not be written when it is mapped for writing.
Status make_writable(GstBuffer* buffer, CopyLedger& copies) {
    count_unwritable(buffer, copies);
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
        if (gst_buffer_is_memory_range_writable(buffer, i, 1) != FALSE) {
            continue;
        }
        GstMapInfo map;
        if (gst_buffer_map_range(buffer, i, 1, &map, GST_MAP_READWRITE) == FALSE) {
            return fail(ErrorCode::Io, "memory {} of a buffer cannot be made writable", i);
        }
        gst_buffer_unmap(buffer, &map);
    }
    return {};
}

} // namespace

// The planes of a frame, and the buffer's memories that they lie in, each once.
struct BufferFrame::Places {
    std::array<MemoryPlane, zero_copy::kMaxFrameMemories> planes{};
    std::array<guint, zero_copy::kMaxFrameMemories> memories{};
    std::size_t plane_count = 0;
    std::size_t memory_count = 0;

    [[nodiscard]] static Result<Places> find(GstBuffer* buffer, const Video& video);
    // Of a modifier, which may have other planes than the format, and rows that are none.
    [[nodiscard]] static Result<Places> find_tiled(GstBuffer* buffer, const Video& video);
    [[nodiscard]] std::uint8_t index_of(guint memory);
};

Result<BufferFrame::Places> BufferFrame::Places::find_tiled(GstBuffer* buffer, const Video& video) {
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    if (meta == nullptr || meta->n_planes > zero_copy::kMaxFrameMemories) {
        return fail(ErrorCode::InvalidArgument,
                    "a dmabuf of modifier 0x{:016x} has {}; it must say where 1 to {} planes lie",
                    video.modifier, meta == nullptr ? "no GstVideoMeta" : "too many planes",
                    zero_copy::kMaxFrameMemories);
    }
    Places places;
    places.plane_count = meta->n_planes;
    for (std::size_t i = 0; i < places.plane_count; ++i) {
        guint memory = 0;
        guint count = 0;
        gsize skip = 0;
        if (meta->stride[i] <= 0 ||
            gst_buffer_find_memory(buffer, meta->offset[i], 1, &memory, &count, &skip) == FALSE) {
            return fail(ErrorCode::InvalidArgument,
                        "plane {} of a dmabuf of modifier 0x{:016x} begins at byte {} of {} and "
                        "has stride {}",
                        i, video.modifier, meta->offset[i], gst_buffer_get_size(buffer),
                        meta->stride[i]);
        }
        places.planes[i] = {.memory = places.index_of(memory),
                            .offset_bytes = skip,
                            .stride_bytes = static_cast<std::size_t>(meta->stride[i])};
    }
    return places;
}

Result<BufferFrame::Places> BufferFrame::Places::find(GstBuffer* buffer, const Video& video) {
    if (!video.linear()) {
        return find_tiled(buffer, video);
    }
    SLUICE_TRY_ASSIGN(const Layout layout, layout_of(buffer, video));
    Places places;
    places.plane_count = std::min(layout.planes, places.planes.size());
    for (std::size_t i = 0; i < places.plane_count; ++i) {
        const auto place = place_of(buffer, layout, video, i);
        if (!place) {
            return fail(ErrorCode::Unsupported,
                        "plane {} of a buffer of {} memories does not lie in one of them", i,
                        gst_buffer_n_memory(buffer));
        }
        places.planes[i] = {.memory = places.index_of(place->memory),
                            .offset_bytes = place->skip,
                            .stride_bytes = static_cast<std::size_t>(layout.strides[i])};
    }
    return places;
}

std::uint8_t BufferFrame::Places::index_of(guint memory) {
    const auto known = std::span(memories).first(memory_count);
    const auto at = std::ranges::find(known, memory);
    const auto index = static_cast<std::uint8_t>(at - known.begin());
    if (at == known.end()) {
        memories[memory_count++] = memory;
    }
    return index;
}

Result<BufferFrame> BufferFrame::create(GstBuffer* buffer, const Video& video, CpuAccess access,
                                        HostSees sees, MemorySerials& serials, CopyLedger& copies) {
    if (video.in_images) {
        return of_images(buffer, video, access, serials);
    }
    SLUICE_TRY_ASSIGN(Places places, Places::find(buffer, video));
    if (access != CpuAccess::Read) {
        SLUICE_TRY(make_writable(buffer, copies));
    }
    BufferFrame out(buffer, access);
    std::array<FrameMemory, zero_copy::kMaxFrameMemories> memories;
    for (std::size_t i = 0; i < places.memory_count; ++i) {
        SLUICE_TRY_ASSIGN(memories[i], out.describe(places.memories[i], access, sees, serials));
    }
    const auto planes = std::span(places.planes).first(places.plane_count);
    for (MemoryPlane& plane : planes) {
        // A mapping begins with the visible bytes, a descriptor's memory with all bytes.
        if (memories[plane.memory].kind != zero_copy::MemoryKind::Host) {
            gsize offset = 0;
            gst_memory_get_sizes(gst_buffer_peek_memory(buffer, places.memories[plane.memory]),
                                 &offset, nullptr);
            plane.offset_bytes += offset;
        }
    }
    SLUICE_TRY_ASSIGN(out.frame_, zero_copy::ExternalFrame::create(
                                      video.format, video.modifier, planes,
                                      std::span(memories).first(places.memory_count)));
    return out;
}

Result<BufferFrame> BufferFrame::of_images(GstBuffer* buffer, const Video& video, CpuAccess access,
                                           MemorySerials& serials) {
    const std::size_t count = gst_buffer_n_memory(buffer);
    const std::size_t plane_count = zero_copy::info(video.format.pixel_format).planes;
    if (count != 1 && count != plane_count) {
        return fail(ErrorCode::Unsupported,
                    "{} images in a buffer; a frame of {} planes has 1 or {}", count, plane_count,
                    plane_count);
    }
    BufferFrame out(buffer, access);
    std::array<FrameMemory, zero_copy::kMaxFrameMemories> memories;
    for (std::size_t i = 0; i < count; ++i) {
        const auto index = static_cast<guint>(i);
        GstMemory* const memory = gst_buffer_peek_memory(buffer, index);
        SLUICE_TRY_ASSIGN(
            memories[i],
            image_memory(
                memory, serials.of(memory), access,
                static_cast<std::uint32_t>(GST_VIDEO_INFO_COMP_WIDTH(&video.info, index)),
                static_cast<std::uint32_t>(GST_VIDEO_INFO_COMP_HEIGHT(&video.info, index))));
        // After the wait for what is done to it: who frees a refused image may not wait.
        if (access != CpuAccess::Read &&
            gst_buffer_is_memory_range_writable(buffer, index, 1) == FALSE) {
            return fail(ErrorCode::Unsupported,
                        "somebody else holds an image that is to be written in place; put "
                        "vulkandownload before, or do what divides the stream behind");
        }
    }
    std::array<MemoryPlane, zero_copy::kMaxFrameMemories> planes{};
    for (std::size_t i = 0; i < plane_count; ++i) {
        planes[i].memory = static_cast<std::uint8_t>(count == 1 ? 0 : i);
    }
    SLUICE_TRY_ASSIGN(out.frame_,
                      zero_copy::ExternalFrame::create(video.format, video.modifier,
                                                       std::span(planes).first(plane_count),
                                                       std::span(memories).first(count)));
    return out;
}

void BufferFrame::note_used() const {
    for (guint i = 0; i < gst_buffer_n_memory(buffer_); ++i) {
        GstMemory* const memory = gst_buffer_peek_memory(buffer_, i);
        if (!is_vulkan_image(memory)) {
            continue;
        }
        if (access_ == CpuAccess::Read) {
            note_image_read(memory);
        } else {
            note_image_written(memory);
        }
    }
}

// What the host must see, too: dmabufs still go by their descriptor; other shared memory by the
// mapping alone, and for one frame, as nobody says how long the mapping lasts.
Result<FrameMemory> BufferFrame::describe(guint memory, CpuAccess access, HostSees sees,
                                          MemorySerials& serials) {
    GstMemory* const peeked = gst_buffer_peek_memory(buffer_, memory);
    const bool writable = access != CpuAccess::Read;
    const bool dma_buf = gst_is_dmabuf_memory(peeked) != FALSE;
    if (sees == HostSees::PlainMemory && (dma_buf || gst_is_fd_memory(peeked) != FALSE)) {
        const int fd = gst_fd_memory_get_fd(peeked);
        static_cast<void>(serials.of(peeked)); // so that its end is told
        return dma_buf ? zero_copy::dma_buf_memory(fd, {}, writable)
                       : zero_copy::memfd_memory(fd, {}, writable);
    }
    SLUICE_TRY_ASSIGN(GstMapInfo * mapped, map(memory, access));
    if (!dma_buf) {
        return zero_copy::host_memory(bytes_of(*mapped), serials.of(mapped->memory), writable);
    }
    gsize offset = 0;
    gst_memory_get_sizes(mapped->memory, &offset, nullptr);
    const std::span<std::byte> visible = bytes_of(*mapped);
    return zero_copy::dma_buf_memory(gst_fd_memory_get_fd(mapped->memory),
                                     {visible.data() - offset, visible.size() + offset}, writable);
}

Result<GstMapInfo*> BufferFrame::map(guint memory, CpuAccess access) {
    const auto flags = access == CpuAccess::Read ? GST_MAP_READ : GST_MAP_READWRITE;
    GstMapInfo& info = maps_[mappings_];
    if (gst_buffer_map_range(buffer_, memory, 1, &info, flags) == FALSE) {
        return fail(ErrorCode::Io, "memory {} of a buffer of {} bytes cannot be mapped", memory,
                    gst_buffer_get_size(buffer_));
    }
    ++mappings_;
    return &info;
}

BufferFrame::BufferFrame(BufferFrame&& other) noexcept
    : buffer_(other.buffer_), access_(other.access_), mappings_(std::exchange(other.mappings_, 0)),
      maps_(other.maps_), frame_(other.frame_) {}

BufferFrame::~BufferFrame() {
    while (mappings_ > 0) {
        gst_buffer_unmap(buffer_, &maps_[--mappings_]);
    }
}

Result<BufferFrame> DeviceFrames::describe(GstBuffer* buffer, const Video& video, CpuAccess access,
                                           CopyLedger& copies) {
    auto made = BufferFrame::create(buffer, video, access, sees_, serials_, copies);
    if (!made && !video.in_images && !std::exchange(said_mapped_, true)) {
        GST_INFO("a frame is read through a mapping: %s; said once", made.error().message.c_str());
    }
    return made;
}

bool DeviceFrames::look_closer(const Error& refusal) {
    if (sees_ == HostSees::All) {
        return false;
    }
    GST_INFO("frames are mapped for the device from now on: %s", refusal.message.c_str());
    sees_ = HostSees::All;
    return true;
}

void DeviceFrames::clear() {
    serials_.clear();
    sees_ = HostSees::PlainMemory;
    said_mapped_ = false;
}

} // namespace sluice::gst
