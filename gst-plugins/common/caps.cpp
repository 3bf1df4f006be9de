// SPDX-License-Identifier: Apache-2.0
// Pad templates from the table of formats, and colorimetry from caps.
#include "gst-plugins/common/caps.h"

#include <memory>
#include <string>

namespace sluice::gst {

namespace {

Ref<GstCaps> caps_of_formats(bool alpha_only) {
    GValue list = G_VALUE_INIT;
    g_value_init(&list, GST_TYPE_LIST);
    for (const zero_copy::FormatInfo& format : zero_copy::formats()) {
        if (alpha_only && !format.components[3].present) {
            continue;
        }
        GValue name = G_VALUE_INIT;
        g_value_init(&name, G_TYPE_STRING);
        g_value_set_string(&name, std::string(format.gst_name).c_str());
        gst_value_list_append_and_take_value(&list, &name);
    }
    Ref caps(gst_caps_new_simple("video/x-raw", "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height",
                                 GST_TYPE_INT_RANGE, 1, G_MAXINT, "framerate",
                                 GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, nullptr));
    gst_caps_set_value(caps.get(), "format", &list);
    g_value_unset(&list);
    return caps;
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

Ref<GstCaps> video_caps() {
    return caps_of_formats(false);
}

Ref<GstCaps> alpha_caps() {
    return caps_of_formats(true);
}

void add_video_template(GstElementClass* klass, GstPadDirection direction) {
    const Ref caps = video_caps();
    gst_element_class_add_pad_template(
        klass, gst_pad_template_new(direction == GST_PAD_SINK ? "sink" : "src", direction,
                                    GST_PAD_ALWAYS, caps.get()));
}

Result<Video> parse_caps(const GstCaps* caps) {
    Video video{};
    if (gst_video_info_from_caps(&video.info, caps) == FALSE) {
        const std::unique_ptr<char, decltype(&g_free)> text(gst_caps_to_string(caps), g_free);
        return fail(ErrorCode::Unsupported, "caps '{}' describe no raw video", text.get());
    }
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
