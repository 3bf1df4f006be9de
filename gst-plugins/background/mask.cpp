// SPDX-License-Identifier: Apache-2.0
// Reading and rewriting of masks.
#include "gst-plugins/background/mask.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "gst-plugins/common/matte_memory.h"

namespace sluice::gst {

namespace {

struct Placement {
    gint x = 0;
    gint y = 0;
    guint width = 0;
    guint height = 0;
};

// Names of a segmentation's regions: the ClsMtd related to it N to N, if there is one.
bool region_names(const GstAnalyticsSegmentationMtd& segmentation, GstAnalyticsClsMtd* names) {
    gpointer state = nullptr;
    return gst_analytics_relation_meta_get_direct_related(
               segmentation.meta, segmentation.id, GST_ANALYTICS_REL_TYPE_N_TO_N,
               gst_analytics_cls_mtd_get_mtd_type(), &state, names) != FALSE;
}

// What each mask value means: itself in a matte, 0 or 255 in a map of classes.
std::array<std::uint8_t, 256> meaning(const GstAnalyticsSegmentationMtd& segmentation) {
    std::array<std::uint8_t, 256> table{};
    if (gst_analytics_segmentation_mtd_get_region_count(&segmentation) <= 1) {
        for (std::size_t i = 0; i < table.size(); ++i) {
            table[i] = static_cast<std::uint8_t>(i);
        }
        return table;
    }
    table.fill(255);
    std::size_t background = 0;
    GstAnalyticsClsMtd names;
    if (region_names(segmentation, &names)) {
        const gsize count = std::min<gsize>(gst_analytics_cls_mtd_get_length(&names), table.size());
        for (gsize i = 0; i < count; ++i) {
            const gchar* name = g_quark_to_string(gst_analytics_cls_mtd_get_quark(&names, i));
            if (name != nullptr && std::string_view(name) == "background") {
                background = i;
            }
        }
    }
    table[background] = 0;
    return table;
}

// One mask value as 8 bits.
std::uint8_t sample(const GstVideoFrame& frame, std::size_t x, std::size_t y) {
    const auto* row = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)) +
                      y * static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));
    switch (GST_VIDEO_FRAME_FORMAT(&frame)) {
    case GST_VIDEO_FORMAT_GRAY16_LE: return row[2 * x + 1];
    case GST_VIDEO_FORMAT_GRAY16_BE: return row[2 * x];
    default: return row[x];
    }
}

} // namespace

bool FrameMask::find(GstBuffer* frame, GstAnalyticsSegmentationMtd* out) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(frame);
    if (meta == nullptr) {
        return false;
    }
    gpointer state = nullptr;
    GstAnalyticsSegmentationMtd found;
    bool any = false;
    while (gst_analytics_relation_meta_iterate(
               meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &found) != FALSE) {
        const bool soft = gst_analytics_segmentation_mtd_get_region_count(&found) <= 1;
        if (soft || !any) {
            *out = found;
            any = true;
        }
        if (soft) {
            break;
        }
    }
    return any;
}

const zero_copy::DeviceMatte* FrameMask::on_device(const GstAnalyticsSegmentationMtd& segmentation,
                                                   std::uint32_t frame_width,
                                                   std::uint32_t frame_height) {
    Placement at;
    GstBuffer* const buffer =
        gst_analytics_segmentation_mtd_get_mask(&segmentation, &at.x, &at.y, &at.width, &at.height);
    if (buffer == nullptr) {
        return nullptr;
    }
    const zero_copy::DeviceMatte* const matte = matte_of(buffer);
    gst_buffer_unref(buffer); // the meta has it, too
    const bool covers_frame =
        at.x == 0 && at.y == 0 && at.width == frame_width && at.height == frame_height;
    const bool soft = gst_analytics_segmentation_mtd_get_region_count(&segmentation) <= 1;
    return covers_frame && soft ? matte : nullptr;
}

Result<FrameMask> FrameMask::create(const GstAnalyticsSegmentationMtd& segmentation,
                                    std::uint32_t frame_width, std::uint32_t frame_height,
                                    std::vector<std::uint8_t>& scratch) {
    Placement at;
    FrameMask out;
    GstBuffer* buffer =
        gst_analytics_segmentation_mtd_get_mask(&segmentation, &at.x, &at.y, &at.width, &at.height);
    const GstVideoMeta* meta = buffer != nullptr ? gst_buffer_get_video_meta(buffer) : nullptr;
    GstVideoInfo info;
    const bool usable =
        meta != nullptr && meta->width > 0 && meta->height > 0 &&
        (meta->format == GST_VIDEO_FORMAT_GRAY8 || meta->format == GST_VIDEO_FORMAT_GRAY16_LE ||
         meta->format == GST_VIDEO_FORMAT_GRAY16_BE) &&
        gst_video_info_set_format(&info, meta->format, meta->width, meta->height) != FALSE;
    if (!usable || gst_video_frame_map(&out.frame_, &info, buffer, GST_MAP_READ) == FALSE) {
        if (buffer != nullptr) {
            gst_buffer_unref(buffer);
        }
        return fail(ErrorCode::Unsupported,
                    "a segmentation mask is no mappable GRAY8 or GRAY16 picture");
    }
    out.buffer_ = buffer;

    const bool covers_frame =
        at.x == 0 && at.y == 0 && at.width == frame_width && at.height == frame_height;
    const bool soft = gst_analytics_segmentation_mtd_get_region_count(&segmentation) <= 1;
    if (covers_frame && soft && info.finfo->format == GST_VIDEO_FORMAT_GRAY8) {
        out.mask_ = {
            .data = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&out.frame_, 0)),
            .stride_bytes = static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&out.frame_, 0)),
            .width = meta->width,
            .height = meta->height};
        return out;
    }

    // Nearest sample; what lies outside the mask is background.
    const auto table = meaning(segmentation);
    const std::uint32_t width = std::min(meta->width, frame_width);
    const std::uint32_t height = std::min(meta->height, frame_height);
    scratch.assign(static_cast<std::size_t>(width) * height, 0);
    const auto source = [](std::uint32_t i, std::uint32_t count, std::uint32_t frame, gint origin,
                           guint extent, guint samples) {
        const double position = (i + 0.5) * frame / count - origin;
        return std::floor(position * samples / std::max(extent, 1U));
    };
    for (std::uint32_t y = 0; y < height; ++y) {
        const double from_y = source(y, height, frame_height, at.y, at.height, meta->height);
        for (std::uint32_t x = 0; x < width; ++x) {
            const double from_x = source(x, width, frame_width, at.x, at.width, meta->width);
            if (from_x >= 0 && from_y >= 0 && from_x < meta->width && from_y < meta->height) {
                scratch[static_cast<std::size_t>(y) * width + x] =
                    table[sample(out.frame_, static_cast<std::size_t>(from_x),
                                 static_cast<std::size_t>(from_y))];
            }
        }
    }
    out.mask_ = {.data = scratch.data(), .stride_bytes = width, .width = width, .height = height};
    return out;
}

FrameMask::FrameMask(FrameMask&& other) noexcept
    : buffer_(std::exchange(other.buffer_, nullptr)), frame_(other.frame_), mask_(other.mask_) {}

FrameMask::~FrameMask() {
    if (buffer_ != nullptr) {
        gst_video_frame_unmap(&frame_);
        gst_buffer_unref(buffer_);
    }
}

} // namespace sluice::gst
