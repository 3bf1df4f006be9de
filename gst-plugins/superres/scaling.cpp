// SPDX-License-Identifier: Apache-2.0
// Arithmetic on caps values, and GStreamer's own scale transform on metas.
#include "gst-plugins/superres/scaling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace sluice::gst {

namespace {

bool scale_value(const GValue* in, GValue* out, int factor, bool enlarge);

bool scale_int(gint value, GValue* out, int factor, bool enlarge) {
    const std::int64_t wide = value;
    if (enlarge ? wide * factor > G_MAXINT : value % factor != 0 || value < factor) {
        return false;
    }
    g_value_init(out, G_TYPE_INT);
    g_value_set_int(out, static_cast<gint>(enlarge ? wide * factor : wide / factor));
    return true;
}

bool scale_range(const GValue* in, GValue* out, int factor, bool enlarge) {
    const std::int64_t low = gst_value_get_int_range_min(in);
    const std::int64_t high = gst_value_get_int_range_max(in);
    const std::int64_t new_low =
        enlarge ? low * factor : std::max<std::int64_t>((low + factor - 1) / factor, 1);
    const std::int64_t new_high =
        enlarge ? std::min<std::int64_t>(high * factor, G_MAXINT) : high / factor;
    if (new_low > new_high) {
        return false;
    }
    if (new_low == new_high) {
        g_value_init(out, G_TYPE_INT);
        g_value_set_int(out, static_cast<gint>(new_low));
    } else {
        g_value_init(out, GST_TYPE_INT_RANGE);
        gst_value_set_int_range(out, static_cast<gint>(new_low), static_cast<gint>(new_high));
    }
    return true;
}

bool scale_list(const GValue* in, GValue* out, int factor, bool enlarge) {
    g_value_init(out, GST_TYPE_LIST);
    for (guint i = 0; i < gst_value_list_get_size(in); ++i) {
        GValue item = G_VALUE_INIT;
        if (scale_value(gst_value_list_get_value(in, i), &item, factor, enlarge)) {
            gst_value_list_append_and_take_value(out, &item);
        }
    }
    if (gst_value_list_get_size(out) == 0) {
        g_value_unset(out);
        return false;
    }
    return true;
}

bool scale_value(const GValue* in, GValue* out, int factor, bool enlarge) {
    if (G_VALUE_HOLDS_INT(in)) {
        return scale_int(g_value_get_int(in), out, factor, enlarge);
    }
    if (GST_VALUE_HOLDS_INT_RANGE(in)) {
        return scale_range(in, out, factor, enlarge);
    }
    return GST_VALUE_HOLDS_LIST(in) && scale_list(in, out, factor, enlarge);
}

bool scale_field(GstStructure* structure, const char* field, int factor, bool enlarge) {
    const GValue* value = gst_structure_get_value(structure, field);
    if (value == nullptr) {
        return true; // any size stays any size
    }
    GValue scaled = G_VALUE_INIT;
    if (!scale_value(value, &scaled, factor, enlarge)) {
        return false;
    }
    gst_structure_take_value(structure, field, &scaled);
    return true;
}

struct Scale {
    double x;
    double y;
};

// Keypoints are pixels of the frame that they were found in.
void scale_keypoints(GstStructure* keypoints, const Scale& scale) {
    for (gint i = 0; i < gst_structure_n_fields(keypoints); ++i) {
        const gchar* field = gst_structure_nth_field_name(keypoints, static_cast<guint>(i));
        const std::string_view text = field;
        gdouble position = 0.0;
        guint extent = 0;
        if (gst_structure_get_double(keypoints, field, &position) != FALSE) {
            const double factor = text.ends_with("-x") ? scale.x : scale.y;
            gst_structure_set(keypoints, field, G_TYPE_DOUBLE, position * factor, nullptr);
        } else if (gst_structure_get_uint(keypoints, field, &extent) != FALSE) {
            const double factor = text == "frame-width" ? scale.x : scale.y;
            gst_structure_set(keypoints, field, G_TYPE_UINT,
                              static_cast<guint>(std::lround(extent * factor)), nullptr);
        }
    }
}

// Time codes, captions, light levels: about the picture, not about where its pixels lie.
bool says_nothing_of_memory(GType api) {
    static const std::array<std::string_view, 3> harmless{GST_META_TAG_VIDEO_STR,
                                                          GST_META_TAG_VIDEO_COLORSPACE_STR,
                                                          GST_META_TAG_VIDEO_ORIENTATION_STR};
    for (const gchar* const* tag = gst_meta_api_type_get_tags(api);
         tag != nullptr && *tag != nullptr; ++tag) {
        if (std::ranges::find(harmless, std::string_view(*tag)) == harmless.end()) {
            return false;
        }
    }
    return true;
}

// The region that the scale transform has just appended to `out`.
GstVideoRegionOfInterestMeta* last_region(GstBuffer* out) {
    gpointer state = nullptr;
    GstMeta* last = nullptr;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
               out, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
        last = meta;
    }
    return reinterpret_cast<GstVideoRegionOfInterestMeta*>(last);
}

// GStreamer 1.26's scale transform leaves the parameters of a region behind.
void carry_parameters(GstVideoRegionOfInterestMeta& to, const GstVideoRegionOfInterestMeta& from,
                      const Scale& scale) {
    for (const GList* item = to.params == nullptr ? from.params : nullptr; item != nullptr;
         item = item->next) {
        gst_video_region_of_interest_meta_add_param(
            &to, gst_structure_copy(static_cast<const GstStructure*>(item->data)));
    }
    if (GstStructure* keypoints = gst_video_region_of_interest_meta_get_param(&to, "keypoints");
        keypoints != nullptr) {
        scale_keypoints(keypoints, scale);
    }
}

} // namespace

Ref<GstCaps> scale_caps(const GstCaps* caps, int factor, bool enlarge) {
    Ref out(gst_caps_new_empty());
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        GstStructure* structure = gst_structure_copy(gst_caps_get_structure(caps, i));
        if (scale_field(structure, "width", factor, enlarge) &&
            scale_field(structure, "height", factor, enlarge)) {
            const GstCapsFeatures* features = gst_caps_get_features(caps, i);
            gst_caps_append_structure_full(out.get(), structure,
                                           features != nullptr ? gst_caps_features_copy(features)
                                                               : nullptr);
        } else {
            gst_structure_free(structure);
        }
    }
    return out;
}

bool carry_meta(GstBuffer* out, GstMeta* meta, GstBuffer* in, const GstVideoInfo& in_info,
                const GstVideoInfo& out_info) {
    const GType api = meta->info->api;
    static const GQuark size = g_quark_from_static_string(GST_META_TAG_VIDEO_SIZE_STR);
    if (gst_meta_api_type_has_tag(api, size) == FALSE) {
        return says_nothing_of_memory(api);
    }
    if (api == GST_VIDEO_META_API_TYPE || api == GST_VIDEO_CROP_META_API_TYPE ||
        meta->info->transform_func == nullptr) {
        return false;
    }
    GstVideoMetaTransform transform{.in_info = const_cast<GstVideoInfo*>(&in_info),
                                    .out_info = const_cast<GstVideoInfo*>(&out_info)};
    const gboolean carried = meta->info->transform_func(
        out, meta, in, gst_video_meta_transform_scale_get_quark(), &transform);
    if (carried != FALSE && api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) {
        if (GstVideoRegionOfInterestMeta* region = last_region(out); region != nullptr) {
            carry_parameters(*region, *reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta),
                             {.x = static_cast<double>(out_info.width) / in_info.width,
                              .y = static_cast<double>(out_info.height) / in_info.height});
        }
    }
    return false;
}

} // namespace sluice::gst
