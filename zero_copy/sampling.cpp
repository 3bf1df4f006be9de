// SPDX-License-Identifier: Apache-2.0
// Sampling tables, computed in double precision.
#include "zero_copy/sampling.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "zero_copy/frame_to_tensor.h"

namespace sluice::zero_copy {

namespace {

double centre(const AxisSpan& span, std::uint32_t output) {
    return span.origin + ((output + 0.5) * span.scale());
}

// The part of an output's footprint that lies inside the frame.
struct Interval {
    double begin;
    double end;
};
Interval inside(const AxisSpan& span, std::uint32_t output) {
    const double limit = span.samples;
    return {.begin = std::clamp(span.origin + (output * span.scale()), 0.0, limit),
            .end = std::clamp(span.origin + ((output + 1.0) * span.scale()), 0.0, limit)};
}

} // namespace

bool averages(const AxisSpan& span, Sampling sampling) {
    return sampling == Sampling::Area && span.scale() > 1.0;
}

AxisCoverage axis_coverage(const AxisSpan& span, Sampling sampling) {
    AxisCoverage out;
    out.share.assign(span.outputs, 0.0F);
    const bool partial = averages(span, sampling);
    for (std::uint32_t i = 0; i < span.outputs; ++i) {
        if (partial) {
            const Interval part = inside(span, i);
            out.share[i] = static_cast<float>((part.end - part.begin) / span.scale());
        } else {
            const double at = centre(span, i);
            out.share[i] = at >= 0.0 && at < span.samples ? 1.0F : 0.0F;
        }
    }
    const auto sees = [](float share) { return share > 0.0F; };
    const auto begin = std::ranges::find_if(out.share, sees);
    const auto end = std::find_if(out.share.rbegin(), out.share.rend(), sees).base();
    out.begin = static_cast<std::uint32_t>(begin - out.share.begin());
    out.end = std::max(out.begin, static_cast<std::uint32_t>(end - out.share.begin()));
    return out;
}

TwoTaps two_taps(const AxisSpan& span, const AxisGrid& grid, Sampling sampling) {
    TwoTaps out;
    out.first.resize(span.outputs);
    out.weight.resize(span.outputs);
    const double last = grid.samples - 1.0;
    for (std::uint32_t i = 0; i < span.outputs; ++i) {
        const double at = centre(span, i);
        double position = 0.0;
        if (sampling == Sampling::Nearest) {
            const double luma = std::clamp(std::floor(at), 0.0, span.samples - 1.0);
            position = static_cast<double>(static_cast<std::uint32_t>(luma) >> grid.shift);
        } else {
            position = std::ldexp(at, -static_cast<int>(grid.shift)) + grid.offset - 0.5;
        }
        position = std::clamp(position, 0.0, last);
        const double first = std::min(std::floor(position), std::max(last - 1.0, 0.0));
        out.first[i] = static_cast<std::int32_t>(first);
        out.weight[i] = static_cast<float>(position - first);
    }
    // Whole weights are 0, or 1 on the second tap at the last sample.
    const auto whole = [&](std::uint32_t i) {
        return out.first[i] + static_cast<std::int32_t>(out.weight[i]);
    };
    out.identity = true;
    for (std::uint32_t i = 0; i < span.outputs && out.identity; ++i) {
        out.identity = (out.weight[i] == 0.0F || out.weight[i] == 1.0F) &&
                       whole(i) == whole(0) + static_cast<std::int32_t>(i);
    }
    return out;
}

ManyTaps area_taps(const AxisSpan& span, const AxisGrid& grid) {
    ManyTaps out;
    out.first.resize(span.outputs);
    out.start.assign(std::size_t{span.outputs} + 1, 0);
    const double unit = std::ldexp(1.0, -static_cast<int>(grid.shift));
    const double last = grid.samples - 1.0;
    for (std::uint32_t i = 0; i < span.outputs; ++i) {
        const Interval part = inside(span, i);
        const double begin = (part.begin * unit) + grid.offset;
        const double end = (part.end * unit) + grid.offset;
        // Samples beyond an edge read as the edge, so their share goes to it. An output outside the
        // frame has one sample there.
        const double low = std::floor(begin);
        const double high = std::max(std::ceil(end), low + 1.0);
        const double from = std::clamp(low, 0.0, last);
        const double to = std::clamp(high - 1.0, 0.0, last);
        out.first[i] = static_cast<std::int32_t>(from);
        const std::size_t start = out.weights.size();
        out.weights.resize(start + static_cast<std::size_t>(to - from) + 1, 0.0F);
        for (double cell = low; cell < high; cell += 1.0) {
            const double covered = std::min(end, cell + 1.0) - std::max(begin, cell);
            const double share = end > begin ? covered / (end - begin) : 1.0;
            const double target = std::clamp(cell, 0.0, last);
            out.weights[start + static_cast<std::size_t>(target - from)] +=
                static_cast<float>(share);
        }
        out.start[i + 1] = out.weights.size();
    }
    return out;
}

ManyTaps as_many(const TwoTaps& taps, std::uint32_t samples) {
    ManyTaps out;
    out.first = taps.first;
    const std::size_t width = samples > 1 ? 2 : 1;
    out.start.resize(taps.first.size() + 1);
    out.weights.reserve(taps.first.size() * width);
    for (std::size_t i = 0; i < taps.first.size(); ++i) {
        out.start[i] = out.weights.size();
        out.weights.push_back(width == 2 ? 1.0F - taps.weight[i] : 1.0F);
        if (width == 2) {
            out.weights.push_back(taps.weight[i]);
        }
    }
    out.start.back() = out.weights.size();
    return out;
}

} // namespace sluice::zero_copy
