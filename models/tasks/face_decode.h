// SPDX-License-Identifier: Apache-2.0
// From BlazeFace's raw tensors to faces: anchors, decoding, weighted non-maximum suppression. Pure.
//
// Sources: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"
// (2019), section 4 for the blending of overlapping boxes; the model cards for the anchor grids.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "models/tasks/face_detection.h"

namespace sluice::tasks {

// Values per anchor: centre x, y, width, height, six keypoints x, y; all in input pixels.
inline constexpr std::size_t kFaceRegressors = 16;

// Centre of an anchor as share of the input's width and height.
struct Anchor {
    float x = 0.0F;
    float y = 0.0F;
};

// The anchors of a network by the name of its grid: "short-range" (16x16 cells with 2, then 8x8
// with 6: 896) or "full-range" (48x48 with 1: 2304). InvalidArgument lists the names.
[[nodiscard]] Result<std::vector<Anchor>> make_anchors(std::string_view grid);

// A part of the frame that the network saw: the input's corners in frame pixels.
struct SeenRegion {
    float x = 0.0F;
    float y = 0.0F;
    float width = 0.0F;
    float height = 0.0F;
};

// Appends the anchors whose score is at least the threshold, in frame pixels. `regressors` holds
// kFaceRegressors per anchor in pixels of the input of `input_size`; `scores` are logits, clipped
// to +-100. Values that are not finite are left out.
void decode_faces(std::span<const Anchor> anchors, std::span<const float> regressors,
                  std::span<const float> scores, float input_size, const SeenRegion& region,
                  float score_threshold, std::vector<Face>& faces);

[[nodiscard]] float intersection_over_union(const Face& a, const Face& b);

// Merges faces that overlap by at least `iou_threshold` into their score-weighted mean, which keeps
// the best score; the result is sorted by falling score and cut to `max_faces`. In place.
void weighted_nms(std::vector<Face>& faces, float iou_threshold, std::size_t max_faces);

} // namespace sluice::tasks
