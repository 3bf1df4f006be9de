// SPDX-License-Identifier: Apache-2.0
// What a resampling needs, worked out once: the positions and weights of both axes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::cpu {

// A result blends elements `low` and `high` of the input's axis: low + weight * (high - low).
struct Tap {
    std::uint32_t low, high;
    float weight;
};

// A tensor seen as [outer, height, width, inner], resized to [outer, rows, columns, inner].
struct ResampleShape {
    std::size_t outer, height, width, inner;
    std::vector<Tap> rows;
    std::vector<Tap> columns;
    bool is_nearest;
    bool doubles_width; // linear and exactly twice as wide: weights are 1/4 and 3/4 throughout
};

} // namespace sluice::cpu
