// SPDX-License-Identifier: Apache-2.0
// Relation metas and the detection note.
#include "gst-plugins/common/analytics.h"

namespace sluice::gst {

namespace {

constexpr const char* kDetectionMeta = "SluiceDetection";

} // namespace

GstAnalyticsRelationMeta* relations(GstBuffer* buffer) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    return meta != nullptr ? meta : gst_buffer_add_analytics_relation_meta(buffer);
}

void register_metas() {
    if (gst_meta_get_info(kDetectionMeta) == nullptr) {
        gst_meta_register_custom_simple(kDetectionMeta);
    }
}

void note_detection(GstBuffer* buffer, bool fresh) {
    GstCustomMeta* note = gst_buffer_get_custom_meta(buffer, kDetectionMeta);
    if (note == nullptr) {
        note = gst_buffer_add_custom_meta(buffer, kDetectionMeta);
    }
    gst_structure_set(gst_custom_meta_get_structure(note), "fresh", G_TYPE_BOOLEAN,
                      fresh ? TRUE : FALSE, nullptr);
}

bool detection_ran(GstBuffer* buffer) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    if (meta == nullptr) {
        return false; // also where an element in between dropped the boxes
    }
    if (GstCustomMeta* note = gst_buffer_get_custom_meta(buffer, kDetectionMeta); note != nullptr) {
        gboolean fresh = FALSE;
        gst_structure_get_boolean(gst_custom_meta_get_structure(note), "fresh", &fresh);
        return fresh != FALSE;
    }
    if (gst_analytics_relation_get_length(meta) == 0) {
        return true;
    }
    gpointer state = nullptr;
    GstAnalyticsODMtd box;
    return gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(),
                                               &box) != FALSE;
}

RegionNames::RegionNames(std::span<const std::string> labels) : certain_(labels.size(), 1.0F) {
    for (const std::string& label : labels) {
        ids_.push_back(static_cast<guint>(ids_.size()));
        names_.push_back(g_quark_from_string(label.c_str()));
    }
}

void add_segmentation(GstAnalyticsRelationMeta* meta, GstBuffer* mask, RegionNames& regions,
                      const MaskPlacement& placement) {
    GstAnalyticsSegmentationMtd segmentation;
    GstAnalyticsClsMtd classes;
    if (gst_analytics_relation_meta_add_segmentation_mtd(
            meta, gst_buffer_ref(mask), GST_SEGMENTATION_TYPE_SEMANTIC, regions.ids_.size(),
            regions.ids_.data(), placement.x, placement.y, placement.width, placement.height,
            &segmentation) != FALSE &&
        gst_analytics_relation_meta_add_cls_mtd(meta, regions.names_.size(),
                                                regions.certain_.data(), regions.names_.data(),
                                                &classes) != FALSE) {
        gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_N_TO_N,
                                                 segmentation.id, classes.id);
    }
}

} // namespace sluice::gst
