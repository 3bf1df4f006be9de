// SPDX-License-Identifier: Apache-2.0
// Sampling tables: which source samples of one axis make up each output sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "zero_copy/frame_to_tensor.h"

namespace sluice::zero_copy {

// One axis of an axis-aligned region: `outputs` tensor pixels over [origin, origin + extent) of
// `samples` luma samples.
struct AxisSpan {
    double origin = 0.0;
    double extent = 0.0;
    std::uint32_t outputs = 0;
    std::uint32_t samples = 0;

    [[nodiscard]] double scale() const { return extent / outputs; }
};

// The outputs [begin, end) that see the frame at all, and how much of each lies inside (1 but for
// Area's border pixels).
struct AxisCoverage {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::vector<float> share; // indexed by output
};
[[nodiscard]] AxisCoverage axis_coverage(const AxisSpan& span, Sampling sampling);

// Two neighbouring taps an output: samples first and first + 1 (the sample before the last at most,
// so both exist unless there is one sample only) with the second's weight.
struct TwoTaps {
    std::vector<std::int32_t> first;
    std::vector<float> weight;
    bool identity = false; // first[i] = first[0] + i, and every weight is 0
};

// Any number of neighbouring taps; output i has weights [start[i], start[i + 1]).
struct ManyTaps {
    std::vector<std::int32_t> first;
    std::vector<std::size_t> start;
    std::vector<float> weights;
};

// A grid of samples on an axis: luma's own, or chroma's 2^shift times coarser one, which is
// `offset` of its samples left of the centred place (site_offset()).
struct AxisGrid {
    unsigned shift = 0;
    double offset = 0.0;
    std::uint32_t samples = 0;
};

// True where Area really averages: it shrinks this axis.
[[nodiscard]] bool averages(const AxisSpan& span, Sampling sampling);
// Nearest, Bilinear, or Area where it does not average. Outputs outside the frame get the edge.
[[nodiscard]] TwoTaps two_taps(const AxisSpan& span, const AxisGrid& grid, Sampling sampling);
[[nodiscard]] ManyTaps area_taps(const AxisSpan& span, const AxisGrid& grid);
[[nodiscard]] ManyTaps as_many(const TwoTaps& taps, std::uint32_t samples);

} // namespace sluice::zero_copy
