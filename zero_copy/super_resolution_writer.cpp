// SPDX-License-Identifier: Apache-2.0
// SuperResolutionWriter: planes upscaled twofold, the network's residual added.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/color.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/residual_kernels.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

namespace {

constexpr std::size_t kSourceStrip = 256; // source samples upscaled at a time
constexpr std::size_t kOutputStrip = 2 * kSourceStrip;
constexpr std::size_t kWriterSamplesPerTask = 65536;

// Output sample 2j lies at j - 1/4 + offset/2 of the input, 2j + 1 at j + 1/4 + offset/2:
// half-pixel centres on both grids, which share their site offset.
PairWeights pair_weights(double offset) {
    const auto before = static_cast<float>(0.25 - (offset / 2.0));
    const auto after = static_cast<float>(0.25 + (offset / 2.0));
    return {.even = {before, 1.0F - before, 0.0F}, .odd = {0.0F, 1.0F - after, after}};
}

} // namespace

struct SuperResolutionWriter::Scratch {
    FrameFormat input;
    FrameFormat output;
    std::size_t channels = 1;
    SampleGroups groups;
    // Codes of component c that a residual of (1, 1, 1), or of each of R, G, B, adds.
    std::array<std::array<float, 3>, 4> gain{};

    // The output rows of residual that a call brings.
    struct Residual {
        std::span<const float> values;
        std::size_t first_row;
        std::size_t rows;
    };
    struct Place {
        std::size_t row;   // of the group, in the output
        std::size_t first; // of its columns
        std::size_t count;
    };

    void write_row(const SampleGroup& group, const FrameView& in, const Residual& residual,
                   std::size_t row, const MutableFrameView& out) const;
    void add_residual(const SampleGroup& group, const Residual& residual, const Place& place,
                      const LaneStrips& strips) const;
    void add_chroma(const SampleGroup& group, const Residual& residual, const Place& place,
                    const LaneStrips& strips) const;
    [[nodiscard]] const float* residual_row(const Residual& residual, std::size_t row) const {
        const std::size_t kept = std::min(row - residual.first_row, residual.rows - 1);
        return residual.values.data() + (kept * output.width * channels);
    }
};

void SuperResolutionWriter::Scratch::add_residual(const SampleGroup& group,
                                                  const Residual& residual, const Place& place,
                                                  const LaneStrips& strips) const {
    if (group.chroma && channels == 1) {
        return; // a residual of luma leaves the chroma as it is
    }
    if (group.shift_x == 1) {
        add_chroma(group, residual, place, strips);
        return;
    }
    const float* const from = residual_row(residual, place.row) + (place.first * channels);
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        const int component = group.component_of_lane[lane];
        if (component < 0 || component > 2) {
            continue;
        }
        const std::array<float, 3>& weights = gain[static_cast<std::size_t>(component)];
        if (channels == 1) {
            add_scaled(from, weights[0], place.count, strips[lane]);
        } else {
            add_weighted_rgb(from, weights, place.count, strips[lane]);
        }
    }
}

// The delta of a chroma sample is the mean over its own site: horizontally 1-2-1 around a co-sited
// sample, both neighbours of a centred one; vertically the rows of its block, whatever the siting,
// so that a strip needs no row of another.
void SuperResolutionWriter::Scratch::add_chroma(const SampleGroup& group, const Residual& residual,
                                                const Place& place,
                                                const LaneStrips& strips) const {
    // One value before the strip, for 1-2-1.
    std::array<std::array<float, (2 * kOutputStrip) + 1>, 3> means; // NOLINT: filled as far as read
    std::array<std::array<float, kOutputStrip>, 3> sites;           // NOLINT: the same
    const std::size_t begin = place.first * 2;
    const std::size_t end = std::min<std::size_t>(begin + (place.count * 2), output.width);
    const std::size_t lead = begin > 0 ? 1 : 0;
    const std::size_t row = place.row << group.shift_y;
    const std::size_t from = (begin - lead) * 3;
    mean_rgb_rows(
        residual_row(residual, row) + from,
        residual_row(residual, row + (std::size_t{1} << group.shift_y) - 1) + from,
        end - begin + lead,
        {means[0].data() + 1 - lead, means[1].data() + 1 - lead, means[2].data() + 1 - lead});
    const bool centred = output.color.chroma_site == ChromaSite::Center;
    const std::array<float, 3> across =
        centred ? std::array{0.0F, 0.5F, 0.5F} : std::array{0.25F, 0.5F, 0.25F};
    for (std::size_t c = 0; c < 3; ++c) {
        if (lead == 0) {
            means[c][0] = means[c][1];
        }
        shrink_pairs(means[c].data() + 1, across, place.count, sites[c].data());
    }
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        const int component = group.component_of_lane[lane];
        if (component < 0) {
            continue;
        }
        for (std::size_t c = 0; c < 3; ++c) {
            add_scaled(sites[c].data(), gain[static_cast<std::size_t>(component)][c], place.count,
                       strips[lane]);
        }
    }
}

void SuperResolutionWriter::Scratch::write_row(const SampleGroup& group, const FrameView& in,
                                               const Residual& residual, std::size_t row,
                                               const MutableFrameView& out) const {
    const SiteOffset offset = site_offset(group, input.color.chroma_site);
    const PairWeights across = pair_weights(offset.x);
    const PairWeights down = pair_weights(offset.y);
    const std::size_t columns = group.columns(input.width);
    const std::size_t last_row = group.rows(input.height) - 1;
    const std::size_t out_columns = group.columns(output.width);
    // Rows j - 1 and j, or j and j + 1.
    const std::size_t j = row / 2;
    const bool odd = row % 2 != 0;
    const std::size_t upper = odd ? j : j - std::min<std::size_t>(j, 1);
    const std::size_t lower = std::min(odd ? j + 1 : j, last_row);
    const float weight = odd ? down.odd[2] : down.even[1];

    std::array<std::array<float, kSourceStrip + 2>, 4> source; // NOLINT: filled as far as read
    std::array<std::array<float, kOutputStrip>, 4> strips;     // NOLINT: the same
    for (std::size_t x = 0; x < columns; x += kSourceStrip) {
        const std::size_t count = std::min(kSourceStrip, columns - x);
        const std::size_t lead = x > 0 ? 1 : 0;
        const std::size_t tail = x + count < columns ? 1 : 0;
        const std::size_t place = (x - lead) * group.step_bytes();
        LaneStrips loaded{};
        LaneStrips upscaled{};
        ConstLaneStrips written{};
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (group.component_of_lane[lane] >= 0) {
                loaded[lane] = source[lane].data() + 1 - lead;
                upscaled[lane] = strips[lane].data();
                written[lane] = upscaled[lane];
            }
        }
        load_lanes_lerp(group, in.row(group.plane, upper) + place,
                        in.row(group.plane, lower) + place, weight, count + lead + tail, loaded);
        const Place to{
            .row = row, .first = 2 * x, .count = std::min(2 * count, out_columns - (2 * x))};
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (loaded[lane] == nullptr) {
                continue;
            }
            float* const samples = source[lane].data() + 1;
            if (lead == 0) {
                samples[-1] = samples[0];
            }
            if (tail == 0) {
                samples[count] = samples[count - 1];
            }
            upsample_pairs(samples, across, count, strips[lane].data());
        }
        add_residual(group, residual, to, upscaled);
        store_lanes(group, written, to.count,
                    out.row(group.plane, row) + (to.first * group.step_bytes()));
    }
}

SuperResolutionWriter::SuperResolutionWriter(std::unique_ptr<Scratch> scratch)
    : scratch_(std::move(scratch)) {}
SuperResolutionWriter::SuperResolutionWriter(SuperResolutionWriter&&) noexcept = default;
SuperResolutionWriter& SuperResolutionWriter::operator=(SuperResolutionWriter&&) noexcept = default;
SuperResolutionWriter::~SuperResolutionWriter() = default;

Result<SuperResolutionWriter> SuperResolutionWriter::create(const FrameFormat& input,
                                                            const FrameFormat& output,
                                                            std::uint32_t residual_channels) {
    if (residual_channels != 1 && residual_channels != 3) {
        return fail(ErrorCode::InvalidArgument,
                    "super-resolution: a residual has 1 or 3 channels, not {}", residual_channels);
    }
    if (input.pixel_format != output.pixel_format || input.color != output.color) {
        return fail(ErrorCode::InvalidArgument,
                    "super-resolution: the output ({}) differs from the input ({}) in pixel format "
                    "or colorimetry",
                    info(output.pixel_format).gst_name, info(input.pixel_format).gst_name);
    }
    if (input.width == 0 || input.height == 0 || output.width / 2 != input.width ||
        output.height / 2 != input.height || output.width % 2 != 0 || output.height % 2 != 0) {
        return fail(ErrorCode::InvalidArgument, "super-resolution: {}x{} is not twice {}x{}",
                    output.width, output.height, input.width, input.height);
    }
    auto scratch = std::make_unique<Scratch>();
    scratch->input = input;
    scratch->output = output;
    scratch->channels = residual_channels;
    scratch->groups = sample_groups(input.pixel_format);
    const AffineTransform codes = rgb_to_codes(input);
    for (std::size_t component = 0; component < 3; ++component) {
        const Vector3& row = codes.matrix[component];
        for (std::size_t i = 0; i < 3; ++i) {
            scratch->gain[component][i] =
                static_cast<float>(residual_channels == 3 ? row[i] : row[0] + row[1] + row[2]);
        }
    }
    return SuperResolutionWriter(std::move(scratch));
}

void SuperResolutionWriter::run(const FrameView& input, std::span<const float> residual,
                                std::uint32_t first_row, std::uint32_t rows,
                                const MutableFrameView& output, runtime::ThreadPool& threads) {
    const Scratch& scratch = *scratch_;
    if (input.format() != scratch.input || output.format() != scratch.output ||
        first_row >= output.height() || rows == 0) {
        return;
    }
    const std::size_t kept = std::min(rows, output.height() - first_row);
    if (residual.size() < kept * output.width() * scratch.channels) {
        return;
    }
    const Scratch::Residual strip{.values = residual, .first_row = first_row, .rows = kept};
    for (const SampleGroup& group : scratch.groups) {
        const std::size_t begin = first_row >> group.shift_y;
        const std::size_t end = group.rows(static_cast<std::uint32_t>(first_row + kept));
        const std::size_t grain =
            std::max<std::size_t>(1, kWriterSamplesPerTask / group.columns(output.width()));
        threads.parallel_for(end - begin, grain, [&](std::size_t from, std::size_t to) {
            for (std::size_t row = begin + from; row < begin + to; ++row) {
                scratch.write_row(group, input, strip, row, output);
            }
        });
    }
}

} // namespace sluice::zero_copy
