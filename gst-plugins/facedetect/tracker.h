// SPDX-License-Identifier: Apache-2.0
// Tracker: the same number for the same object from frame to frame, by overlap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::gst {

struct TrackBox {
    float x = 0.0F;
    float y = 0.0F;
    float width = 0.0F;
    float height = 0.0F;
};

// Intersection over union; 0 where a box is empty.
[[nodiscard]] float overlap(const TrackBox& a, const TrackBox& b);

// Pairs the boxes of a frame with those of earlier ones, largest overlap first. Numbers begin at 1
// and are never given twice.
class Tracker {
public:
    struct Track {
        std::uint64_t id = 0;
        std::uint64_t first_seen = 0; // the `now` at which the number was given
    };

    // The track of each box, in the order of `boxes`; valid until the next call. A box continues a
    // track that it overlaps by at least kMinOverlap; tracks that no box continued are kept for
    // kPatience further calls.
    [[nodiscard]] std::span<const Track> update(std::span<const TrackBox> boxes, std::uint64_t now);
    // What follows is another scene.
    void clear() { tracks_.clear(); }

    static constexpr float kMinOverlap = 0.3F;
    static constexpr unsigned kPatience = 12;

private:
    struct Known {
        Track track;
        TrackBox box;
        unsigned missed = 0;
    };
    struct Pair {
        float overlap;
        std::size_t box;
        std::size_t known;
    };

    std::uint64_t next_id_ = 1;
    std::vector<Known> tracks_;
    std::vector<Pair> pairs_;
    std::vector<Track> result_; // id 0: not paired yet
    std::vector<char> taken_;
};

} // namespace sluice::gst
