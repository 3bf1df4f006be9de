// SPDX-License-Identifier: Apache-2.0
// The blurred background's cells: samples summed, weighted by how much they are background.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/checked_math.h"
#include "zero_copy/background_scratch.h"
#include "zero_copy/blur_kernels.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

namespace {

// Weight that even the person keeps in the blurred background, so that it has a value everywhere:
// a quarter of a code at most.
constexpr float kLeastWeight = 1.0F / 1024.0F;

} // namespace

// The cells of a group of `values` samples a place, and where each column lies between them.
void BackgroundBlend::Scratch::add_cells(GroupState& state, std::size_t values) const {
    const SampleGroup& group = state.group;
    // Cells hold whole chroma samples.
    const std::size_t cell = blur_cell(sigma);
    state.cell_x = cell >> group.shift_x;
    state.cell_y = cell >> group.shift_y;
    state.across = cell_kernel(sigma / (1U << group.shift_x), state.cell_x);
    state.down = cell_kernel(sigma / (1U << group.shift_y), state.cell_y);
    const std::size_t cells_x = div_ceil(columns(state), state.cell_x);
    const std::size_t cells_y = div_ceil(rows(state), state.cell_y);
    state.blur.emplace(cells_x, cells_y, values, std::max(state.across.radius, state.down.radius));
    state.first.resize(columns(state));
    state.weight.resize(columns(state));
    const double last = static_cast<double>(cells_x) - 1.0;
    for (std::size_t i = 0; i < state.first.size(); ++i) {
        const double at =
            ((static_cast<double>(i) + 0.5) / static_cast<double>(state.cell_x)) - 0.5;
        const double kept = std::clamp(at, 0.0, last);
        const double first = std::min(std::floor(kept), std::max(last - 1.0, 0.0));
        state.first[i] = static_cast<std::int32_t>(first);
        state.weight[i] = static_cast<float>(kept - first);
    }
}

// Sums the samples of one row of cells, weighted by how much they are background.
void BackgroundBlend::Scratch::gather_cells(GroupState& state, const FrameView& frame,
                                            const Mask& mask, std::size_t cell_row) const {
    const SampleGroup& group = state.group;
    CellSums sums; // NOLINT: filled as far as it is read
    const std::size_t begin = cell_row * state.cell_y;
    const std::size_t end = std::min(begin + state.cell_y, rows(state));
    for (std::size_t x = 0; x < columns(state); x += kStrip) {
        const std::size_t count = std::min(kStrip, columns(state) - x);
        const Window window{.begin = begin, .end = end, .x = x, .count = count};
        if (const auto only = state.mask.only(begin, end, x)) {
            const float share = 1.0F + kLeastWeight - (static_cast<float>(*only) / 255.0F);
            sum_evenly(state, frame, window, share, sums);
        } else {
            sum_weighted(state, frame, mask, window, sums);
        }
        const auto to_cells = [&](Strip& strip, float* cells) {
            std::size_t left = align_up(count, state.cell_x);
            std::fill(strip.begin() + static_cast<std::ptrdiff_t>(count),
                      strip.begin() + static_cast<std::ptrdiff_t>(left), 0.0F);
            for (std::size_t size = state.cell_x; size > 1; size /= 2) {
                left /= 2;
                sum_pairs(strip.data(), left, strip.data());
            }
            std::copy_n(strip.begin(), left, cells);
        };
        const std::size_t cell = x / state.cell_x;
        to_cells(sums.weight, state.blur->weights(cell_row) + cell);
        std::size_t value = 0;
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (state.written[lane]) {
                to_cells(sums.values[lane], state.blur->sums(value++, cell_row) + cell);
            }
        }
    }
}

// Of rows under one value of the mask.
void BackgroundBlend::Scratch::sum_evenly(const GroupState& state, const FrameView& frame,
                                          const Window& window, float share, CellSums& sums) const {
    const SampleGroup& group = state.group;
    const std::size_t count = window.count;
    const std::size_t rows = window.end - window.begin;
    std::fill_n(sums.weight.begin(), count, share * static_cast<float>(rows));
    if (group.step_bytes() == 1) {
        const std::byte* const first = frame.row(group.plane, window.begin) + window.x;
        const std::ptrdiff_t stride =
            rows > 1 ? frame.row(group.plane, window.begin + 1) + window.x - first : 0;
        sum_byte_rows(reinterpret_cast<const std::uint8_t*>(first), stride, rows, count,
                      sums.values[0].data());
    } else {
        std::array<Strip, 4> values; // NOLINT: filled as far as it is read
        LaneStrips loaded{};
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            loaded[lane] = state.written[lane] ? values[lane].data() : nullptr;
            std::fill_n(sums.values[lane].begin(), count, 0.0F);
        }
        for (std::size_t y = window.begin; y < window.end; ++y) {
            load_lanes(group, frame.row(group.plane, y) + (window.x * group.step_bytes()), count,
                       loaded);
            for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                if (state.written[lane]) {
                    accumulate_strip(values[lane].data(), count, sums.values[lane].data());
                }
            }
        }
    }
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (state.written[lane]) {
            scale_offset(sums.values[lane].data(), share, 0.0F, count, sums.values[lane].data());
        }
    }
}

void BackgroundBlend::Scratch::sum_weighted(const GroupState& state, const FrameView& frame,
                                            const Mask& mask, const Window& window,
                                            CellSums& sums) const {
    const SampleGroup& group = state.group;
    const std::size_t count = window.count;
    Strip weight;                // NOLINT: filled as far as it is read
    std::array<Strip, 4> values; // NOLINT: the same
    LaneStrips loaded{};
    std::fill_n(sums.weight.begin(), count, 0.0F);
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        loaded[lane] = state.written[lane] ? values[lane].data() : nullptr;
        std::fill_n(sums.values[lane].begin(), count, 0.0F);
    }
    for (std::size_t y = window.begin; y < window.end; ++y) {
        state.mask.sample(mask, y, window.x, count, weight.data());
        scale_offset(weight.data(), -1.0F, 1.0F + kLeastWeight, count, weight.data());
        accumulate_strip(weight.data(), count, sums.weight.data());
        load_lanes(group, frame.row(group.plane, y) + (window.x * group.step_bytes()), count,
                   loaded);
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (state.written[lane]) {
                accumulate_product(values[lane].data(), weight.data(), count,
                                   sums.values[lane].data());
            }
        }
    }
}

} // namespace sluice::zero_copy
