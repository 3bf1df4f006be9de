// SPDX-License-Identifier: Apache-2.0
// Results on buffers: GstAnalytics relations, and the note that a detector looked at a frame.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gst/analytics/analytics.h>

namespace sluice::gst {

// The buffer's relation meta; a new one where it has none. The buffer must be writable.
[[nodiscard]] GstAnalyticsRelationMeta* relations(GstBuffer* buffer);

// Registers the custom meta "SluiceDetection". Once per process, before any of the next.
void register_metas();

// Notes on the buffer that a detector looked at it: an empty relation meta cannot say so once other
// elements add to it. `fresh` is false where the results are those of an earlier frame.
void note_detection(GstBuffer* buffer, bool fresh);

// Whether a detector looked at this very frame and its findings are still on the buffer. Detectors
// other than ours leave no note: for them a relation meta counts that is empty or holds a box.
[[nodiscard]] bool detection_ran(GstBuffer* buffer);

struct MaskPlacement;

// Names of a mask's regions by index, in the form that metas take; made once, not per frame.
class RegionNames {
public:
    explicit RegionNames(std::span<const std::string> labels);

private:
    friend void add_segmentation(GstAnalyticsRelationMeta* meta, GstBuffer* mask,
                                 RegionNames& regions, const MaskPlacement& placement);
    std::vector<guint> ids_; // 0, 1, 2 …
    std::vector<GQuark> names_;
    std::vector<gfloat> certain_; // 1.0 each
};

// The rectangle of the frame that a mask covers, in pixels.
struct MaskPlacement {
    int x = 0;
    int y = 0;
    unsigned width = 0;
    unsigned height = 0;
};

// Attaches a mask. The names of its regions travel as a ClsMtd that is related to the segmentation
// N to N, which is GstAnalytics' convention. `mask` is borrowed.
void add_segmentation(GstAnalyticsRelationMeta* meta, GstBuffer* mask, RegionNames& regions,
                      const MaskPlacement& placement);

} // namespace sluice::gst
