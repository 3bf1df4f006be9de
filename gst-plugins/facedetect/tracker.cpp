// SPDX-License-Identifier: Apache-2.0
// Greedy pairing by overlap.
#include "gst-plugins/facedetect/tracker.h"

#include <algorithm>

namespace sluice::gst {

float overlap(const TrackBox& a, const TrackBox& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0.0F || height <= 0.0F) {
        return 0.0F;
    }
    const float both = width * height;
    return both / (a.width * a.height + b.width * b.height - both);
}

std::span<const Tracker::Track> Tracker::update(std::span<const TrackBox> boxes,
                                                std::uint64_t now) {
    pairs_.clear();
    for (std::size_t box = 0; box < boxes.size(); ++box) {
        for (std::size_t known = 0; known < tracks_.size(); ++known) {
            if (const float shared = overlap(boxes[box], tracks_[known].box);
                shared >= kMinOverlap) {
                pairs_.push_back({.overlap = shared, .box = box, .known = known});
            }
        }
    }
    std::ranges::sort(pairs_, std::ranges::greater{}, &Pair::overlap);

    result_.assign(boxes.size(), Track{});
    taken_.assign(tracks_.size(), 0);
    for (const Pair& pair : pairs_) {
        if (result_[pair.box].id == 0 && taken_[pair.known] == 0) {
            Known& known = tracks_[pair.known];
            known.box = boxes[pair.box];
            known.missed = 0;
            result_[pair.box] = known.track;
            taken_[pair.known] = 1;
        }
    }
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        tracks_[i].missed += taken_[i] == 0 ? 1 : 0;
    }
    std::erase_if(tracks_, [](const Known& known) { return known.missed > kPatience; });
    for (std::size_t box = 0; box < boxes.size(); ++box) {
        if (result_[box].id == 0) {
            result_[box] = {.id = next_id_++, .first_seen = now};
            tracks_.push_back({.track = result_[box], .box = boxes[box]});
        }
    }
    return result_;
}

} // namespace sluice::gst
