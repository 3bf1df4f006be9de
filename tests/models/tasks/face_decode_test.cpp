// SPDX-License-Identifier: Apache-2.0
// Anchors, decoding and weighted non-maximum suppression, on hand-made tensors.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "models/tasks/face_decode.h"
#include "tests/support/must.h"

namespace sluice::tasks {
namespace {

using sluice::testing::must;

TEST(Anchors, grids_have_the_counts_and_corners_of_the_model_cards) {
    const auto near = must(make_anchors("short-range"));
    ASSERT_EQ(near.size(), 896U);
    EXPECT_FLOAT_EQ(near[0].x, 0.5F / 16);
    EXPECT_FLOAT_EQ(near[1].x, 0.5F / 16); // two anchors share a cell
    EXPECT_FLOAT_EQ(near[2].x, 1.5F / 16);
    EXPECT_FLOAT_EQ(near[512].x, 0.5F / 8); // the coarse grid follows
    EXPECT_FLOAT_EQ(near[895].y, 7.5F / 8);
    EXPECT_EQ(must(make_anchors("full-range")).size(), 2304U);
}

TEST(Anchors, unknown_grid_lists_the_known_ones) {
    const auto wrong = make_anchors("mid-range");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message,
              "there is no anchor grid 'mid-range'; there are: short-range, full-range");
}

TEST(DecodeFaces, maps_offsets_from_the_anchor_into_the_seen_region) {
    const std::vector<Anchor> anchors{{.x = 0.25F, .y = 0.5F}};
    std::vector<float> raw(kFaceRegressors, 0.0F);
    raw[0] = 12.8F;  // a tenth of the input to the right
    raw[2] = 25.6F;  // a fifth wide
    raw[3] = 64.0F;  // half as high
    raw[4] = -12.8F; // right eye a tenth to the left
    const std::vector<float> scores{0.0F};
    std::vector<Face> faces;
    decode_faces(anchors, raw, scores, 128.0F, {.x = 100, .y = 0, .width = 200, .height = 100},
                 0.5F, faces);
    ASSERT_EQ(faces.size(), 1U);
    EXPECT_NEAR(faces[0].x, 100 + 50 + 20 - 20, 1e-4);
    EXPECT_NEAR(faces[0].y, 50 - 25, 1e-4);
    EXPECT_NEAR(faces[0].width, 40, 1e-4);
    EXPECT_NEAR(faces[0].height, 50, 1e-4);
    EXPECT_NEAR(faces[0].keypoints[0].x, 150 - 20, 1e-4);
    EXPECT_NEAR(faces[0].keypoints[1].y, 50, 1e-4);
    EXPECT_FLOAT_EQ(faces[0].score, 0.5F);
}

TEST(DecodeFaces, drops_low_scores_and_what_is_not_finite) {
    const std::vector<Anchor> anchors(4, Anchor{.x = 0.5F, .y = 0.5F});
    std::vector<float> raw(4 * kFaceRegressors, 8.0F);
    raw[0] = std::numeric_limits<float>::quiet_NaN();
    raw[kFaceRegressors + 2] = std::numeric_limits<float>::infinity();
    const std::vector<float> scores{5.0F, 5.0F, -0.01F, std::numeric_limits<float>::quiet_NaN()};
    std::vector<Face> faces;
    decode_faces(anchors, raw, scores, 128.0F, {.width = 128, .height = 128}, 0.5F, faces);
    EXPECT_TRUE(faces.empty());
}

TEST(DecodeFaces, extreme_logits_are_clipped) {
    const std::vector<Anchor> anchors{{.x = 0.5F, .y = 0.5F}};
    const std::vector<float> raw(kFaceRegressors, 8.0F);
    const std::vector<float> scores{1e30F};
    std::vector<Face> faces;
    decode_faces(anchors, raw, scores, 128.0F, {.width = 128, .height = 128}, 0.5F, faces);
    ASSERT_EQ(faces.size(), 1U);
    EXPECT_FLOAT_EQ(faces[0].score, 1.0F);
}

Face box(float x, float y, float size, float score) {
    Face face;
    face.x = x;
    face.y = y;
    face.width = size;
    face.height = size;
    face.score = score;
    face.keypoints.fill({.x = x, .y = y});
    return face;
}

TEST(WeightedNms, blends_overlapping_boxes_by_score) {
    std::vector<Face> faces{box(0, 0, 100, 0.6F), box(10, 0, 100, 0.9F), box(300, 0, 50, 0.7F)};
    weighted_nms(faces, 0.3F, 100);
    ASSERT_EQ(faces.size(), 2U);
    EXPECT_FLOAT_EQ(faces[0].score, 0.9F);
    EXPECT_NEAR(faces[0].x, (0.6 * 0 + 0.9 * 10) / 1.5, 1e-4);
    EXPECT_NEAR(faces[0].keypoints[3].x, 6.0, 1e-4);
    EXPECT_NEAR(faces[0].width, 100, 1e-3);
    EXPECT_FLOAT_EQ(faces[1].score, 0.7F);
    EXPECT_NEAR(faces[1].x, 300, 1e-3);
}

TEST(WeightedNms, keeps_boxes_below_the_threshold_apart_and_sorted) {
    // Overlap of 50 x 100 in a union of 150 x 100: a third.
    std::vector<Face> faces{box(0, 0, 100, 0.5F), box(50, 0, 100, 0.8F)};
    auto apart = faces;
    weighted_nms(apart, 0.34F, 100);
    ASSERT_EQ(apart.size(), 2U);
    EXPECT_FLOAT_EQ(apart[0].score, 0.8F);
    weighted_nms(faces, 0.33F, 100);
    EXPECT_EQ(faces.size(), 1U);
}

TEST(WeightedNms, stops_at_the_limit_with_the_best) {
    std::vector<Face> faces;
    for (int i = 0; i < 10; ++i) {
        faces.push_back(
            box(static_cast<float>(i) * 200.0F, 0, 100, 0.5F + 0.04F * static_cast<float>(i)));
    }
    weighted_nms(faces, 0.3F, 3);
    ASSERT_EQ(faces.size(), 3U);
    EXPECT_NEAR(faces[0].x, 1800, 1e-2);
    EXPECT_NEAR(faces[2].x, 1400, 1e-2);
    weighted_nms(faces, 0.3F, 0);
    EXPECT_TRUE(faces.empty());
}

} // namespace
} // namespace sluice::tasks
