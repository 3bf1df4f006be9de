// SPDX-License-Identifier: Apache-2.0
// Pad templates from the table of formats, and colorimetry from caps.
#include "gst-plugins/common/caps.h"

#include <memory>
#include <string>

#include <drm/drm_fourcc.h>

#include <gst/allocators/gstdmabuf.h>

namespace sluice::gst {

namespace {

std::string drm_text(guint32 fourcc) {
    const std::unique_ptr<char, decltype(&g_free)> text(
        gst_video_dma_drm_fourcc_to_string(fourcc, DRM_FORMAT_MOD_LINEAR), g_free);
    return text ? text.get() : "";
}

// "NV12" for NV12, "YU12" for I420; empty for what has none.
std::string linear_drm_format(const char* gst_format) {
    const guint32 fourcc =
        gst_video_dma_drm_fourcc_from_format(gst_video_format_from_string(gst_format));
    return fourcc != DRM_FORMAT_INVALID ? drm_text(fourcc) : "";
}

// The reverse; empty for other modifiers than linear.
std::string gst_format_of(const char* drm_format) {
    guint64 modifier = 0;
    const guint32 fourcc = gst_video_dma_drm_fourcc_from_string(drm_format, &modifier);
    const GstVideoFormat format = modifier == DRM_FORMAT_MOD_LINEAR
                                      ? gst_video_dma_drm_fourcc_to_format(fourcc)
                                      : GST_VIDEO_FORMAT_UNKNOWN;
    return format != GST_VIDEO_FORMAT_UNKNOWN ? gst_video_format_to_string(format) : "";
}

void append(GValue* list, const char* text) {
    GValue name = G_VALUE_INIT;
    g_value_init(&name, G_TYPE_STRING);
    g_value_set_string(&name, text);
    gst_value_list_append_and_take_value(list, &name);
}

// Takes the structure. Sizes and rates are any.
void append_structure(GstCaps* caps, GstStructure* structure, const char* feature) {
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height",
                      GST_TYPE_INT_RANGE, 1, G_MAXINT, "framerate", GST_TYPE_FRACTION_RANGE, 0, 1,
                      G_MAXINT, 1, nullptr);
    gst_caps_append_structure_full(
        caps, structure, feature != nullptr ? gst_caps_features_new(feature, nullptr) : nullptr);
}

GstStructure* dmabuf_structure() {
    return gst_structure_new("video/x-raw", "format", G_TYPE_STRING, "DMA_DRM", nullptr);
}

// Those that GStreamer's Vulkan elements have in images of formats that a sampler reads.
GstStructure* image_structure(bool alpha_only) {
    GValue names = G_VALUE_INIT;
    g_value_init(&names, GST_TYPE_LIST);
    for (const char* name : {"NV12", "RGBA", "BGRA", "RGBx", "BGRx"}) {
        const auto format = zero_copy::format_from_gst_name(name);
        if (!alpha_only || (format && zero_copy::info(*format).components[3].present)) {
            append(&names, name);
        }
    }
    GstStructure* structure = gst_structure_new_empty("video/x-raw");
    gst_structure_set_value(structure, "format", &names);
    g_value_unset(&names);
    return structure;
}

// Dmabufs and images first, as a copy that they spare is spared to all.
Ref<GstCaps> caps_of_formats(bool alpha_only, bool any_modifier,
                             std::span<const std::string> tiled = {}, bool images = false) {
    GValue names = G_VALUE_INIT;
    GValue drm_formats = G_VALUE_INIT;
    g_value_init(&names, GST_TYPE_LIST);
    g_value_init(&drm_formats, GST_TYPE_LIST);
    for (const std::string& name : tiled) {
        append(&drm_formats, name.c_str());
    }
    for (const zero_copy::FormatInfo& format : zero_copy::formats()) {
        if (alpha_only && !format.components[3].present) {
            continue;
        }
        const std::string name(format.gst_name);
        append(&names, name.c_str());
        append(&drm_formats, linear_drm_format(name.c_str()).c_str());
    }
    Ref caps(gst_caps_new_empty());
    GstStructure* dmabuf = dmabuf_structure();
    if (!any_modifier) {
        gst_structure_set_value(dmabuf, "drm-format", &drm_formats);
    }
    append_structure(caps.get(), dmabuf, GST_CAPS_FEATURE_MEMORY_DMABUF);
    if (images) {
        append_structure(caps.get(), image_structure(alpha_only), kVulkanImageFeature);
    }
    GstStructure* plain = gst_structure_new_empty("video/x-raw");
    gst_structure_set_value(plain, "format", &names);
    append_structure(caps.get(), plain, nullptr);
    g_value_unset(&names);
    g_value_unset(&drm_formats);
    return caps;
}

// Replaces a field's text, or each text of its list, by what `translate` makes of it; texts without
// a translation go. False if nothing is left.
template <typename Translate>
bool translate_field(GstStructure* to, const char* to_field, const GValue* from,
                     Translate translate) {
    if (from == nullptr) {
        return false;
    }
    GValue list = G_VALUE_INIT;
    g_value_init(&list, GST_TYPE_LIST);
    const auto add = [&](const GValue* value) {
        const std::string text =
            G_VALUE_HOLDS_STRING(value) ? translate(g_value_get_string(value)) : std::string();
        if (!text.empty()) {
            append(&list, text.c_str());
        }
    };
    if (GST_VALUE_HOLDS_LIST(from)) {
        for (guint i = 0; i < gst_value_list_get_size(from); ++i) {
            add(gst_value_list_get_value(from, i));
        }
    } else {
        add(from);
    }
    const guint left = gst_value_list_get_size(&list);
    if (left == 1) {
        gst_structure_set_value(to, to_field, gst_value_list_get_value(&list, 0));
    } else if (left > 1) {
        gst_structure_set_value(to, to_field, &list);
    }
    g_value_unset(&list);
    return left > 0;
}

std::string text_of(const GstCaps* caps) {
    const std::unique_ptr<char, decltype(&g_free)> text(gst_caps_to_string(caps), g_free);
    return text.get();
}

Status parse_dmabuf(const GstCaps* caps, Modifiers modifiers, Video& video) {
    GstVideoInfoDmaDrm drm;
    if (gst_video_info_dma_drm_from_caps(&drm, caps) == FALSE) {
        return fail(ErrorCode::Unsupported, "caps '{}' describe no video in dmabufs",
                    text_of(caps));
    }
    if (drm.drm_modifier != DRM_FORMAT_MOD_LINEAR && modifiers == Modifiers::Linear) {
        return fail(ErrorCode::Unsupported,
                    "dmabufs of drm-format {} have the modifier 0x{:016x}, and the CPU reads "
                    "linear ones only; ask upstream for drm-format={}, or for plain video/x-raw",
                    gst_structure_get_string(gst_caps_get_structure(caps, 0), "drm-format"),
                    drm.drm_modifier, drm_text(drm.drm_fourcc));
    }
    // The size and the colours are of the picture, whatever the layout.
    const guint64 modifier = drm.drm_modifier;
    drm.drm_modifier = DRM_FORMAT_MOD_LINEAR;
    if (gst_video_info_dma_drm_to_video_info(&drm, &video.info) == FALSE) {
        return fail(ErrorCode::Unsupported, "drm-format {} is no pixel format of GStreamer's",
                    drm_text(drm.drm_fourcc));
    }
    video.in_dmabufs = true;
    video.modifier = modifier;
    return {};
}

// Matrices that we do not have are near one that we do: FCC and SMPTE 240M differ from BT.601 and
// BT.709 in the third digit.
zero_copy::ColorMatrix matrix_of(GstVideoColorMatrix matrix) {
    switch (matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M: return zero_copy::ColorMatrix::Bt709;
    case GST_VIDEO_COLOR_MATRIX_BT2020: return zero_copy::ColorMatrix::Bt2020;
    case GST_VIDEO_COLOR_MATRIX_BT601:
    case GST_VIDEO_COLOR_MATRIX_FCC:
    case GST_VIDEO_COLOR_MATRIX_RGB:
    case GST_VIDEO_COLOR_MATRIX_UNKNOWN: break;
    }
    return zero_copy::ColorMatrix::Bt601;
}

zero_copy::ChromaSite chroma_site_of(GstVideoChromaSite site) {
    const bool left = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
    const bool top = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
    if (left && top) {
        return zero_copy::ChromaSite::TopLeft;
    }
    // GST_VIDEO_CHROMA_SITE_NONE says "not cosited", which is JPEG's siting.
    return (site & GST_VIDEO_CHROMA_SITE_NONE) != 0 ? zero_copy::ChromaSite::Center
                                                    : zero_copy::ChromaSite::Left;
}

} // namespace

Ref<GstCaps> video_caps(bool images) {
    return caps_of_formats(false, true, {}, images);
}

Ref<GstCaps> readable_caps(std::span<const std::string> tiled, bool images) {
    return caps_of_formats(false, false, tiled, images);
}

bool has_images(const GstCaps* caps) {
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        if (gst_caps_features_contains(gst_caps_get_features(caps, i), kVulkanImageFeature) !=
            FALSE) {
            return true;
        }
    }
    return false;
}

Ref<GstCaps> alpha_caps() {
    return caps_of_formats(true, false, {}, true);
}

Ref<GstCaps> in_system_memory(const GstCaps* caps) {
    Ref out(gst_caps_new_empty());
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        GstStructure* structure = gst_structure_copy(gst_caps_get_structure(caps, i));
        const GstCapsFeatures* features = gst_caps_get_features(caps, i);
        if (gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF) != FALSE) {
            if (!translate_field(structure, "format",
                                 gst_structure_get_value(structure, "drm-format"), gst_format_of)) {
                gst_structure_free(structure);
                continue;
            }
            gst_structure_remove_field(structure, "drm-format");
        }
        gst_caps_append_structure(out.get(), structure);
    }
    return out;
}

Ref<GstCaps> in_dmabufs(const GstCaps* caps) {
    Ref out(gst_caps_new_empty());
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        GstStructure* structure = gst_structure_copy(gst_caps_get_structure(caps, i));
        const GstCapsFeatures* features = gst_caps_get_features(caps, i);
        if (gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF) == FALSE) {
            if (!translate_field(structure, "drm-format",
                                 gst_structure_get_value(structure, "format"), linear_drm_format)) {
                gst_structure_free(structure);
                continue;
            }
            gst_structure_set(structure, "format", G_TYPE_STRING, "DMA_DRM", nullptr);
        }
        gst_caps_append_structure_full(
            out.get(), structure, gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, nullptr));
    }
    return out;
}

void add_video_template(GstElementClass* klass, GstPadDirection direction, bool images) {
    const Ref caps = video_caps(images);
    gst_element_class_add_pad_template(
        klass, gst_pad_template_new(direction == GST_PAD_SINK ? "sink" : "src", direction,
                                    GST_PAD_ALWAYS, caps.get()));
}

Result<Video> parse_caps(const GstCaps* caps, Modifiers modifiers) {
    Video video{};
    if (gst_video_is_dma_drm_caps(caps) != FALSE) {
        SLUICE_TRY(parse_dmabuf(caps, modifiers, video));
    } else if (gst_video_info_from_caps(&video.info, caps) == FALSE) {
        return fail(ErrorCode::Unsupported, "caps '{}' describe no raw video", text_of(caps));
    }
    video.in_images = has_images(caps);
    const char* name = gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&video.info));
    const auto pixel_format = zero_copy::format_from_gst_name(name);
    if (!pixel_format) {
        return fail(ErrorCode::Unsupported, "pixel format {} is not among those of the pad", name);
    }
    const bool full = video.info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
    video.format = {
        .pixel_format = *pixel_format,
        .width = static_cast<std::uint32_t>(GST_VIDEO_INFO_WIDTH(&video.info)),
        .height = static_cast<std::uint32_t>(GST_VIDEO_INFO_HEIGHT(&video.info)),
        .color = {.matrix = matrix_of(video.info.colorimetry.matrix),
                  .range = full ? zero_copy::ColorRange::Full : zero_copy::ColorRange::Limited,
                  .chroma_site = chroma_site_of(video.info.chroma_site)},
    };
    return video;
}

} // namespace sluice::gst
