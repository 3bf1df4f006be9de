// SPDX-License-Identifier: Apache-2.0
// Point sampling of a frame's planes.
#include "zero_copy/turned_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "zero_copy/frame.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

namespace {

// Two neighbours on an axis and the second's weight.
struct Neighbours {
    std::size_t first;
    std::size_t second;
    float weight;
};

Neighbours neighbours_at(double position, std::uint32_t samples) {
    const double kept = std::clamp(position, 0.0, samples - 1.0);
    const double first = std::floor(kept);
    const auto index = static_cast<std::size_t>(first);
    return {.first = index,
            .second = std::min<std::size_t>(index + 1, samples - 1),
            .weight = static_cast<float>(kept - first)};
}

float mix(float a, float b, float weight) {
    return a + ((b - a) * weight);
}

float sample(const std::byte* at, const SampleGroup& group) {
    if (group.bits == 8) {
        return static_cast<float>(std::to_integer<unsigned>(*at));
    }
    std::uint16_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return static_cast<float>(word >> (16 - group.bits));
}

} // namespace

TurnedSampler::TurnedSampler(const FrameFormat& frame) {
    for (const SampleGroup& group : sample_groups(frame.pixel_format)) {
        groups_[count_++] = {.group = group,
                             .offset = site_offset(group, frame.color.chroma_site),
                             .columns = group.columns(frame.width),
                             .rows = group.rows(frame.height)};
    }
}

void TurnedSampler::add(const FrameView& frame, double x, double y, bool nearest,
                        std::array<float, 3>& codes) const {
    for (std::size_t i = 0; i < count_; ++i) {
        const auto& [group, offset, columns, rows] = groups_[i];
        double column = 0.0;
        double row = 0.0;
        if (nearest) {
            column = static_cast<double>(static_cast<std::uint32_t>(x) >> group.shift_x);
            row = static_cast<double>(static_cast<std::uint32_t>(y) >> group.shift_y);
        } else {
            column = (x / (1U << group.shift_x)) + offset.x - 0.5;
            row = (y / (1U << group.shift_y)) + offset.y - 0.5;
        }
        const Neighbours across = neighbours_at(column, columns);
        const Neighbours down = neighbours_at(row, rows);
        const std::size_t step = group.step_bytes();
        const std::byte* const upper = frame.row(group.plane, down.first);
        const std::byte* const lower = frame.row(group.plane, down.second);
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            const int component = group.component_of_lane[lane];
            if (component < 0 || component > 2) {
                continue;
            }
            const std::size_t place = lane * group.sample_bytes();
            const std::size_t left = (across.first * step) + place;
            const std::size_t right = (across.second * step) + place;
            const float top =
                mix(sample(upper + left, group), sample(upper + right, group), across.weight);
            const float bottom =
                mix(sample(lower + left, group), sample(lower + right, group), across.weight);
            codes[static_cast<std::size_t>(component)] += top + ((bottom - top) * down.weight);
        }
    }
}

} // namespace sluice::zero_copy
