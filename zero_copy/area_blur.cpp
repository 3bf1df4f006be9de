// SPDX-License-Identifier: Apache-2.0
// AreaBlur: a strong blur of a box at a resolution that follows its strength.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/checked_math.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/redact_area.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

namespace {

// Cells a standard deviation, across the area; a tall one has larger cells, so that scratch stays
// small.
constexpr std::size_t kCellsPerSigma = 3;
constexpr std::size_t kMaxCellRows = 256;
constexpr std::size_t kMaxRadius = 16;

// Where sample `i` of cells of `side` lies between cells.
struct Place {
    std::size_t first;
    std::size_t second;
    float weight;
};
Place place_of(std::size_t i, std::size_t side, std::size_t cells) {
    const double at = ((static_cast<double>(i) + 0.5) / static_cast<double>(side)) - 0.5;
    const double kept = std::clamp(at, 0.0, static_cast<double>(cells) - 1.0);
    const auto first = static_cast<std::size_t>(kept);
    return {.first = first,
            .second = std::min(first + 1, cells - 1),
            .weight = static_cast<float>(kept - static_cast<double>(first))};
}

} // namespace

AreaBlurLimits area_blur_limits(const FrameFormat& format, std::uint32_t blocks) {
    return {.columns = std::min<std::size_t>((kCellsPerSigma * blocks) + 2, (format.width / 2) + 2),
            .rows = std::min<std::size_t>(kMaxCellRows + 2, (format.height / 2) + 2)};
}

AreaBlurCells area_blur_cells(const RedactArea& area, const FrameFormat& format,
                              std::uint32_t blocks) {
    // A face that is mostly outside the frame keeps its strength, within reason.
    const double limit = 4.0 * static_cast<double>(format.width);
    const double sigma = std::min(area.full_width, limit) / blocks;
    const auto wanted =
        static_cast<std::size_t>(std::ceil(sigma / static_cast<double>(kCellsPerSigma)));
    const AreaBlurLimits limits = area_blur_limits(format, blocks);
    const std::size_t side =
        align_up(std::max({wanted, div_ceil(area.right - area.left, limits.columns - 1),
                           div_ceil(area.bottom - area.top, limits.rows - 1), std::size_t{2}}),
                 2);
    return {.sigma = sigma, .side = side};
}

AreaBlur::AreaBlur(const FrameFormat& format, std::uint32_t blocks)
    : blocks_(blocks), cells_(area_blur_limits(format, blocks).columns,
                              area_blur_limits(format, blocks).rows, 3, kMaxRadius) {}

void AreaBlur::run(const MutableFrameView& frame, const RedactArea& area,
                   runtime::ThreadPool& threads) {
    const auto [sigma, side] = area_blur_cells(area, frame.format(), blocks_);
    for (const SampleGroup& group : sample_groups(frame.format().pixel_format)) {
        const SampleWindow window = window_of(area, group, frame.format());
        side_x_ = side >> group.shift_x;
        side_y_ = side >> group.shift_y;
        cells_.reset(div_ceil(window.right - window.left, side_x_),
                     div_ceil(window.bottom - window.top, side_y_));
        gather(frame, group, window);
        cells_.blur(cell_kernel(sigma / (1U << group.shift_x), side_x_),
                    cell_kernel(sigma / (1U << group.shift_y), side_y_), threads);
        write(frame, group, window);
    }
}

void AreaBlur::gather(const MutableFrameView& frame, const SampleGroup& group,
                      const SampleWindow& window) {
    const std::array<bool, 4> wanted = color_lanes(group);
    std::array<RedactStrip, 4> strips; // NOLINT: filled as far as it is read
    LaneStrips loaded{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        loaded[lane] = wanted[lane] ? strips[lane].data() : nullptr;
    }
    for (std::size_t y = window.top; y < window.bottom; ++y) {
        const std::size_t cell_row = (y - window.top) / side_y_;
        for (std::size_t x = window.left; x < window.right; x += kRedactStrip) {
            const std::size_t count = std::min(kRedactStrip, window.right - x);
            load_lanes(group, frame.row(group.plane, y) + (x * group.step_bytes()), count, loaded);
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t cell = (x + i - window.left) / side_x_;
                cells_.weights(cell_row)[cell] += 1.0F;
                std::size_t value = 0;
                for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                    if (wanted[lane]) {
                        cells_.sums(value++, cell_row)[cell] += strips[lane][i];
                    }
                }
            }
        }
    }
}

void AreaBlur::write(const MutableFrameView& frame, const SampleGroup& group,
                     const SampleWindow& window) {
    const std::array<bool, 4> wanted = color_lanes(group);
    std::array<RedactStrip, 4> strips; // NOLINT: filled as far as it is read
    ConstLaneStrips stored{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        stored[lane] = wanted[lane] ? strips[lane].data() : nullptr;
    }
    for (std::size_t y = window.top; y < window.bottom; ++y) {
        const Place down = place_of(y - window.top, side_y_, cells_.rows());
        for (std::size_t x = window.left; x < window.right; x += kRedactStrip) {
            const std::size_t count = std::min(kRedactStrip, window.right - x);
            for (std::size_t i = 0; i < count; ++i) {
                const Place across = place_of(x + i - window.left, side_x_, cells_.columns());
                std::size_t value = 0;
                for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                    if (!wanted[lane]) {
                        continue;
                    }
                    const float* const upper = cells_.picture(value, down.first);
                    const float* const lower = cells_.picture(value, down.second);
                    ++value;
                    const auto mix = [](float a, float b, float weight) {
                        return a + ((b - a) * weight);
                    };
                    strips[lane][i] = mix(
                        mix(upper[across.first], upper[across.second], across.weight),
                        mix(lower[across.first], lower[across.second], across.weight), down.weight);
                }
            }
            store_lanes(group, stored, count, frame.row(group.plane, y) + (x * group.step_bytes()));
        }
    }
}

} // namespace sluice::zero_copy
