// SPDX-License-Identifier: Apache-2.0
// Tracker: numbers stay with their objects.
#include <array>

#include <gtest/gtest.h>

#include "gst-plugins/facedetect/tracker.h"

namespace sluice::gst {
namespace {

TEST(Overlap, is_intersection_over_union) {
    // 10x10 boxes shifted by 5: 50 shared of 150.
    EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {5, 0, 10, 10}), 1.0F / 3.0F);
    EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {0, 0, 10, 10}), 1.0F);
    EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {10, 0, 10, 10}), 0.0F);
    EXPECT_FLOAT_EQ(overlap({0, 0, 0, 10}, {0, 0, 10, 10}), 0.0F);
}

TEST(Tracker, keeps_numbers_while_boxes_drift_and_change_places_in_the_list) {
    Tracker tracker;
    const std::array<TrackBox, 2> first{{{0, 0, 100, 100}, {300, 0, 100, 100}}};
    const auto a = tracker.update(first, 7);
    const std::uint64_t left = a[0].id;
    const std::uint64_t right = a[1].id;
    EXPECT_NE(left, right);
    EXPECT_EQ(a[0].first_seen, 7U);
    const std::array<TrackBox, 2> second{{{310, 5, 100, 100}, {12, 3, 100, 100}}};
    const auto b = tracker.update(second, 8);
    EXPECT_EQ(b[0].id, right);
    EXPECT_EQ(b[1].id, left);
    EXPECT_EQ(b[1].first_seen, 7U);
}

TEST(Tracker, gives_the_closer_box_the_number) {
    Tracker tracker;
    const std::array<TrackBox, 1> first{{{0, 0, 100, 100}}};
    const std::uint64_t id = tracker.update(first, 0)[0].id;
    const std::array<TrackBox, 2> second{{{40, 0, 100, 100}, {5, 0, 100, 100}}};
    const auto found = tracker.update(second, 1);
    EXPECT_EQ(found[1].id, id);
    EXPECT_NE(found[0].id, id);
}

TEST(Tracker, remembers_for_a_while_and_never_gives_a_number_twice) {
    Tracker tracker;
    const std::array<TrackBox, 1> box{{{0, 0, 50, 50}}};
    const std::uint64_t id = tracker.update(box, 0)[0].id;
    for (unsigned i = 0; i < Tracker::kPatience; ++i) {
        EXPECT_TRUE(tracker.update({}, 1).empty());
    }
    EXPECT_EQ(tracker.update(box, 2)[0].id, id);
    for (unsigned i = 0; i <= Tracker::kPatience; ++i) {
        EXPECT_TRUE(tracker.update({}, 3).empty());
    }
    const std::uint64_t next = tracker.update(box, 4)[0].id;
    EXPECT_GT(next, id);
    tracker.clear();
    EXPECT_GT(tracker.update(box, 5)[0].id, next);
}

} // namespace
} // namespace sluice::gst
