// SPDX-License-Identifier: Apache-2.0
// Anchors, decoding and weighted non-maximum suppression of BlazeFace.
#include "models/tasks/face_decode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace sluice::tasks {

namespace {

struct GridLevel {
    std::uint32_t cells;   // in each direction
    std::uint32_t anchors; // per cell
};

std::vector<Anchor> anchors_of(std::span<const GridLevel> levels) {
    std::vector<Anchor> anchors;
    for (const auto& [cells, per_cell] : levels) {
        for (std::uint32_t y = 0; y < cells; ++y) {
            for (std::uint32_t x = 0; x < cells; ++x) {
                const Anchor center{.x = (static_cast<float>(x) + 0.5F) / static_cast<float>(cells),
                                    .y =
                                        (static_cast<float>(y) + 0.5F) / static_cast<float>(cells)};
                anchors.insert(anchors.end(), per_cell, center);
            }
        }
    }
    return anchors;
}

float sigmoid(float logit) {
    return 1.0F / (1.0F + std::exp(-std::clamp(logit, -100.0F, 100.0F)));
}

bool is_finite(const Face& face) {
    return std::isfinite(face.x) && std::isfinite(face.y) && std::isfinite(face.width) &&
           std::isfinite(face.height);
}

// Adds `weight` times the geometry of `face` to `sum`.
void accumulate(Face& sum, const Face& face, float weight) {
    sum.x += weight * face.x;
    sum.y += weight * face.y;
    sum.width += weight * face.width;
    sum.height += weight * face.height;
    for (std::size_t k = 0; k < sum.keypoints.size(); ++k) {
        sum.keypoints[k].x += weight * face.keypoints[k].x;
        sum.keypoints[k].y += weight * face.keypoints[k].y;
    }
}

} // namespace

Result<std::vector<Anchor>> make_anchors(std::string_view grid) {
    if (grid == "short-range") {
        return anchors_of(
            std::array<GridLevel, 2>{{{.cells = 16, .anchors = 2}, {.cells = 8, .anchors = 6}}});
    }
    if (grid == "full-range") {
        return anchors_of(std::array<GridLevel, 1>{{{.cells = 48, .anchors = 1}}});
    }
    return fail(ErrorCode::InvalidArgument,
                "there is no anchor grid '{}'; there are: short-range, full-range", grid);
}

void decode_faces(std::span<const Anchor> anchors, std::span<const float> regressors,
                  std::span<const float> scores, float input_size, const SeenRegion& region,
                  float score_threshold, std::vector<Face>& faces) {
    // Comparing logits spares an exponential per anchor.
    const float bounded = std::clamp(score_threshold, 1e-6F, 1.0F - 1e-6F);
    const float logit_threshold =
        score_threshold <= 0.0F ? -INFINITY : std::log(bounded / (1.0F - bounded));
    const float scale_x = region.width / input_size;
    const float scale_y = region.height / input_size;
    for (std::size_t i = 0; i < anchors.size(); ++i) {
        if (!(scores[i] >= logit_threshold)) {
            continue;
        }
        const auto raw = regressors.subspan(i * kFaceRegressors, kFaceRegressors);
        const float anchor_x = region.x + anchors[i].x * region.width;
        const float anchor_y = region.y + anchors[i].y * region.height;
        Face face;
        face.score = sigmoid(scores[i]);
        face.width = raw[2] * scale_x;
        face.height = raw[3] * scale_y;
        face.x = anchor_x + raw[0] * scale_x - face.width / 2.0F;
        face.y = anchor_y + raw[1] * scale_y - face.height / 2.0F;
        for (std::size_t k = 0; k < face.keypoints.size(); ++k) {
            face.keypoints[k] = {.x = anchor_x + raw[4 + 2 * k] * scale_x,
                                 .y = anchor_y + raw[5 + 2 * k] * scale_y};
        }
        if (is_finite(face) && face.width > 0.0F && face.height > 0.0F) {
            faces.push_back(face);
        }
    }
}

float intersection_over_union(const Face& a, const Face& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0.0F || height <= 0.0F) {
        return 0.0F;
    }
    const float common = width * height;
    return common / (a.width * a.height + b.width * b.height - common);
}

void weighted_nms(std::vector<Face>& faces, float iou_threshold, std::size_t max_faces) {
    // Not stable_sort, which may allocate; equal scores are told apart by position.
    std::ranges::sort(faces, [](const Face& a, const Face& b) {
        return std::tie(b.score, a.x, a.y) < std::tie(a.score, b.x, b.y);
    });
    // faces[0, kept) are results, faces[kept, end) are candidates by falling score.
    std::size_t kept = 0;
    std::size_t end = faces.size();
    while (kept < end && kept < max_faces) {
        const Face best = faces[kept];
        Face sum;
        float weights = 0.0F;
        std::size_t next = kept + 1; // where the next candidate that does not overlap goes
        for (std::size_t i = kept; i < end; ++i) {
            const Face face = faces[i];
            if (i == kept || intersection_over_union(best, face) >= iou_threshold) {
                accumulate(sum, face, face.score);
                weights += face.score;
            } else {
                faces[next++] = face;
            }
        }
        Face merged;
        accumulate(merged, sum, 1.0F / weights);
        merged.score = best.score;
        faces[kept++] = merged;
        end = next;
    }
    faces.resize(kept);
}

} // namespace sluice::tasks
