// SPDX-License-Identifier: Apache-2.0
// Separable sampling of a frame's planes.
#include "zero_copy/frame_sampler.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/sampling.h"
#include "zero_copy/strip_kernels.h"

namespace sluice::zero_copy {

namespace {

// Source samples widened at a time: a full strip at a scale of 2, and the tap after it.
constexpr std::size_t kSpanSamples = (2 * kStripPixels) + 8 + kGatherPadding;
// Up to this many source samples an output pixel, reading all of them is faster than picking.
constexpr double kDenseScale = 2.0;

using Spans = std::array<std::array<float, kSpanSamples>, 4>;

const std::byte* sample_address(const FrameView& frame, const SampleGroup& group, std::size_t row,
                                std::size_t column) {
    return frame.row(group.plane, row) + (column * group.step_bytes());
}

} // namespace

FrameSampler::FrameSampler(const FrameFormat& frame, const AxisSpan& columns, const AxisSpan& rows,
                           Sampling sampling, const std::array<bool, 3>& wanted) {
    const bool many = averages(columns, sampling) || averages(rows, sampling);
    for (const SampleGroup& group : sample_groups(frame.pixel_format)) {
        GroupTables tables;
        tables.group = group;
        bool any = false;
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            const int component = group.component_of_lane[lane];
            tables.wanted[lane] =
                component >= 0 && component < 3 && wanted[static_cast<std::size_t>(component)];
            any = any || tables.wanted[lane];
        }
        if (!any) {
            continue;
        }
        tables.source_columns = group.columns(frame.width);
        tables.source_rows = group.rows(frame.height);
        tables.row_bytes = row_bytes(info(frame.pixel_format), group.plane, frame.width);
        const SiteOffset offset = site_offset(group, frame.color.chroma_site);
        const AxisGrid grid_x{
            .shift = group.shift_x, .offset = offset.x, .samples = tables.source_columns};
        const AxisGrid grid_y{
            .shift = group.shift_y, .offset = offset.y, .samples = tables.source_rows};
        if (many) {
            tables.method = Method::Many;
            tables.many_columns =
                averages(columns, sampling)
                    ? area_taps(columns, grid_x)
                    : as_many(two_taps(columns, grid_x, sampling), grid_x.samples);
            tables.many_rows = averages(rows, sampling)
                                   ? area_taps(rows, grid_y)
                                   : as_many(two_taps(rows, grid_y, sampling), grid_y.samples);
        } else {
            tables.columns = two_taps(columns, grid_x, sampling);
            tables.rows = two_taps(rows, grid_y, sampling);
            const double scale = columns.scale() / (1U << group.shift_x);
            // Sparse reads two neighbouring columns, which a single column does not have.
            tables.method =
                scale > kDenseScale && tables.source_columns > 1 ? Method::Sparse : Method::Dense;
        }
        groups_.push_back(std::move(tables));
    }
}

void FrameSampler::sample(const FrameView& frame, std::uint32_t y, std::size_t x, std::size_t count,
                          const std::array<float*, 3>& out) const {
    for (const GroupTables& tables : groups_) {
        LaneStrips strips{};
        for (std::size_t lane = 0; lane < tables.group.lanes; ++lane) {
            if (tables.wanted[lane]) {
                strips[lane] = out[static_cast<std::size_t>(tables.group.component_of_lane[lane])];
            }
        }
        switch (tables.method) {
        case Method::Dense: dense(tables, frame, y, x, count, strips); break;
        case Method::Sparse: sparse(tables, frame, y, x, count, strips); break;
        case Method::Many: many(tables, frame, y, x, count, strips); break;
        }
    }
}

void FrameSampler::dense(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                         std::size_t x, std::size_t count, const LaneStrips& out) {
    const SampleGroup& group = tables.group;
    const std::int32_t* const first = tables.columns.first.data() + x;
    const float* const weight = tables.columns.weight.data() + x;
    // Weights of an identity are whole: 1 on the second tap at the right edge.
    const std::size_t begin = static_cast<std::size_t>(first[0]) +
                              (tables.columns.identity ? static_cast<std::size_t>(weight[0]) : 0);
    const std::size_t end =
        tables.columns.identity
            ? begin + count
            : std::min<std::size_t>(static_cast<std::size_t>(first[count - 1]) + 2,
                                    tables.source_columns);
    Spans spans; // NOLINT(cppcoreguidelines-pro-type-member-init): filled as far as it is read
    LaneStrips strips = out;
    if (!tables.columns.identity) {
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            strips[lane] = out[lane] == nullptr ? nullptr : spans[lane].data();
        }
    }
    const auto row = static_cast<std::size_t>(tables.rows.first[y]);
    const float weight_y = tables.rows.weight[y];
    const std::size_t length = end - begin;
    if (weight_y == 0.0F || weight_y == 1.0F) {
        const std::size_t only = row + (weight_y == 1.0F ? 1 : 0);
        load_lanes(group, sample_address(frame, group, only, begin), length, strips);
    } else {
        load_lanes_lerp(group, sample_address(frame, group, row, begin),
                        sample_address(frame, group, row + 1, begin), weight_y, length, strips);
    }
    if (tables.columns.identity) {
        return;
    }
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (out[lane] != nullptr) {
            // A single column has no second tap; its weight is 0.
            spans[lane][length] = spans[lane][length - 1];
            gather_lerp(strips[lane], first[0], first, weight, count, out[lane]);
        }
    }
}

void FrameSampler::sparse(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                          std::size_t x, std::size_t count, const LaneStrips& out) {
    const SampleGroup& group = tables.group;
    const std::size_t step = group.step_bytes();
    const std::size_t bytes = group.sample_bytes();
    std::size_t low = group.lanes;
    std::size_t high = 0;
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (out[lane] != nullptr) {
            low = std::min(low, lane);
            high = lane;
        }
    }
    const std::size_t base = low * bytes;
    // Often one word holds both taps: three or fewer bytes between them.
    const bool one_word = ((high - low + 1) * bytes) + step <= 4;
    using Fetched = std::array<std::uint32_t, kStripPixels>;
    Fetched words[4]; // NOLINT(modernize-avoid-c-arrays): uninitialised on purpose
    const std::int32_t* const first = tables.columns.first.data() + x;
    const auto fetch = [&](std::size_t row, Fetched& tap0, Fetched& tap1) -> WordRow {
        const std::byte* const at = frame.row(group.plane, row);
        fetch_words(at, tables.row_bytes, step, base, first, count, tap0.data());
        if (one_word) {
            return {.tap0 = tap0.data(), .tap1 = tap0.data()};
        }
        fetch_words(at, tables.row_bytes, step, base + step, first, count, tap1.data());
        return {.tap0 = tap0.data(), .tap1 = tap1.data()};
    };
    const auto row = static_cast<std::size_t>(tables.rows.first[y]);
    const float weight_y = tables.rows.weight[y];
    const bool second_only = weight_y == 1.0F;
    const WordRow upper = fetch(row + (second_only ? 1 : 0), words[0], words[1]);
    const bool blends = weight_y != 0.0F && !second_only;
    const WordRow lower = blends ? fetch(row + 1, words[2], words[3]) : upper;
    const int pad_bits = group.bits > 8 ? 16 - group.bits : 0;
    for (std::size_t lane = low; lane <= high; ++lane) {
        if (out[lane] == nullptr) {
            continue;
        }
        const int shift = (static_cast<int>((lane - low) * bytes) * 8) + pad_bits;
        const WordBits bits{.shift0 = shift,
                            .shift1 = shift + (one_word ? static_cast<int>(step) * 8 : 0),
                            .mask = (1U << group.bits) - 1U};
        lerp_words(upper, lower, bits, blends ? weight_y : 0.0F, tables.columns.weight.data() + x,
                   count, out[lane]);
    }
}

namespace {

// Sums of `count` samples of each lane, weighted, onto its output `at`.
void add_weighted(const LaneStrips& samples, std::size_t from, std::size_t count,
                  const float* weights, const LaneStrips& out, std::size_t at) {
    for (std::size_t lane = 0; lane < out.size(); ++lane) {
        if (out[lane] == nullptr) {
            continue;
        }
        const float* const in = samples[lane] + from;
        float sum = 0.0F;
        for (std::size_t k = 0; k < count; ++k) {
            sum += in[k] * weights[k];
        }
        out[lane][at] += sum;
    }
}

} // namespace

void FrameSampler::many(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                        std::size_t x, std::size_t count, const LaneStrips& out) {
    const SampleGroup& group = tables.group;
    const ManyTaps& columns = tables.many_columns;
    const ManyTaps& rows = tables.many_rows;
    const auto taps_of = [&](std::size_t i) { return columns.start[i + 1] - columns.start[i]; };
    Spans spans; // NOLINT(cppcoreguidelines-pro-type-member-init): filled as far as it is read
    LaneStrips strips{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (out[lane] != nullptr) {
            strips[lane] = spans[lane].data();
            std::fill_n(out[lane], count, 0.0F);
        }
    }
    const auto begin = static_cast<std::size_t>(columns.first[x]);
    const std::size_t last = x + count - 1;
    const std::size_t end = static_cast<std::size_t>(columns.first[last]) + taps_of(last);
    std::size_t output = x; // the first that may still need columns of this chunk
    for (std::size_t chunk = begin; chunk < end; chunk += kSpanSamples) {
        const std::size_t length = std::min(kSpanSamples, end - chunk);
        for (float* const strip : strips) {
            if (strip != nullptr) {
                std::fill_n(strip, length, 0.0F);
            }
        }
        for (std::size_t tap = rows.start[y]; tap < rows.start[y + 1]; ++tap) {
            const std::size_t row = static_cast<std::size_t>(rows.first[y]) + (tap - rows.start[y]);
            accumulate_lanes(group, sample_address(frame, group, row, chunk), rows.weights[tap],
                             length, strips);
        }
        for (std::size_t i = output; i <= last; ++i) {
            const auto first = static_cast<std::size_t>(columns.first[i]);
            const std::size_t stop = first + taps_of(i);
            if (first >= chunk + length) {
                break;
            }
            if (stop <= chunk) {
                output = i + 1;
                continue;
            }
            const std::size_t from = std::max(first, chunk);
            const std::size_t to = std::min(stop, chunk + length);
            add_weighted(strips, from - chunk, to - from,
                         columns.weights.data() + columns.start[i] + (from - first), out, i - x);
        }
    }
}

} // namespace sluice::zero_copy
