// SPDX-License-Identifier: Apache-2.0
// Layouts of buffers from GstVideoMeta and caps.
#include "gst-plugins/common/layout.h"

#include "core/base/checked_math.h"

namespace sluice::gst {

namespace {

// Bytes from a plane's first to its last sample.
std::optional<std::size_t> extent(const Video& video, std::size_t plane, std::size_t stride) {
    const auto& format = zero_copy::info(video.format.pixel_format);
    const std::size_t rows = zero_copy::plane_rows(format, plane, video.format.height);
    const auto padded = checked_mul<std::size_t>(stride, rows - 1);
    return padded ? checked_add<std::size_t>(
                        *padded, zero_copy::row_bytes(format, plane, video.format.width))
                  : std::nullopt;
}

} // namespace

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

std::optional<PlanePlace> place_of(GstBuffer* buffer, const Layout& layout, const Video& video,
                                   std::size_t plane) {
    const auto bytes = layout.strides[plane] > 0
                           ? extent(video, plane, static_cast<std::size_t>(layout.strides[plane]))
                           : std::nullopt;
    PlanePlace place;
    guint count = 0;
    if (!bytes ||
        gst_buffer_find_memory(buffer, layout.offsets[plane], *bytes, &place.memory, &count,
                               &place.skip) == FALSE ||
        count != 1) {
        return std::nullopt;
    }
    return place;
}

void count_unwritable(GstBuffer* buffer, CopyLedger& copies) {
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
        if (gst_buffer_is_memory_range_writable(buffer, i, 1) == FALSE) {
            copies.count(CopyReason::NotWritable,
                         gst_memory_get_sizes(gst_buffer_peek_memory(buffer, i), nullptr, nullptr));
        }
    }
}

} // namespace sluice::gst
