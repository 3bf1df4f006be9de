// SPDX-License-Identifier: Apache-2.0
// From rows of samples to strips of floats and back, chosen for the CPU at run time.
//
// Rows of a plane become strips of floats (in codes), one a component, that stay in the first-level
// cache; strips are combined (strip_kernels.h) and written back. No function reads or writes a byte
// beyond the count it is given. None allocates.
#pragma once

#include <array>
#include <cstddef>

#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

// One float strip for each lane of a group; null: the lane is of no interest.
using LaneStrips = std::array<float*, 4>;
using ConstLaneStrips = std::array<const float*, 4>;

// `count` pixels of a group into strips. `row` is the group's first lane.
void load_lanes(const SampleGroup& group, const std::byte* row, std::size_t count,
                const LaneStrips& out);
// upper + (lower - upper) * weight.
void load_lanes_lerp(const SampleGroup& group, const std::byte* upper, const std::byte* lower,
                     float weight, std::size_t count, const LaneStrips& out);
// out += row * weight.
void accumulate_lanes(const SampleGroup& group, const std::byte* row, float weight,
                      std::size_t count, const LaneStrips& out);
// Rounds to nearest, saturates to the depth and writes; null lanes keep what the row holds.
void store_lanes(const SampleGroup& group, const ConstLaneStrips& in, std::size_t count,
                 std::byte* row);

} // namespace sluice::zero_copy
