// SPDX-License-Identifier: Apache-2.0
// Mosaics: cells of a frame replaced by their mean.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/checked_math.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/redact_area.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

namespace {

// Sums of each lane over a cell.
std::array<double, 4> cell_sums(const MutableFrameView& frame, const SampleGroup& group,
                                const SampleWindow& cell) {
    const std::array<bool, 4> wanted = color_lanes(group);
    std::array<RedactStrip, 4> strips; // NOLINT: filled as far as it is read
    LaneStrips loaded{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        loaded[lane] = wanted[lane] ? strips[lane].data() : nullptr;
    }
    std::array<double, 4> sums{};
    for (std::size_t y = cell.top; y < cell.bottom; ++y) {
        for (std::size_t x = cell.left; x < cell.right; x += kRedactStrip) {
            const std::size_t count = std::min(kRedactStrip, cell.right - x);
            load_lanes(group, frame.row(group.plane, y) + (x * group.step_bytes()), count, loaded);
            for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                for (std::size_t i = 0; wanted[lane] && i < count; ++i) {
                    sums[lane] += static_cast<double>(strips[lane][i]);
                }
            }
        }
    }
    return sums;
}

void fill_cell(const MutableFrameView& frame, const SampleGroup& group, const SampleWindow& cell,
               const std::array<double, 4>& codes) {
    const std::array<bool, 4> wanted = color_lanes(group);
    std::array<RedactStrip, 4> strips; // NOLINT: filled as far as it is read
    ConstLaneStrips stored{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (wanted[lane]) {
            strips[lane].fill(static_cast<float>(codes[lane]));
            stored[lane] = strips[lane].data();
        }
    }
    for (std::size_t y = cell.top; y < cell.bottom; ++y) {
        for (std::size_t x = cell.left; x < cell.right; x += kRedactStrip) {
            store_lanes(group, stored, std::min(kRedactStrip, cell.right - x),
                        frame.row(group.plane, y) + (x * group.step_bytes()));
        }
    }
}

} // namespace

std::size_t mosaic_side(const RedactArea& area, const FrameFormat& format, std::uint32_t blocks) {
    const FormatInfo& layout = info(format.pixel_format);
    const std::size_t unit = std::size_t{1}
                             << std::max(layout.chroma_shift_x, layout.chroma_shift_y);
    const std::size_t limit = std::max(format.width, format.height);
    const double full = std::min(area.full_width, static_cast<double>(limit));
    const auto wanted = static_cast<std::size_t>(std::ceil(full / blocks));
    const std::size_t span = area.right - area.left;
    return align_up(std::max({wanted, div_ceil<std::size_t>(span, blocks), std::size_t{1}}), unit);
}

void pixelate_area(const MutableFrameView& frame, const RedactArea& area, std::uint32_t blocks) {
    const std::size_t side = mosaic_side(area, frame.format(), blocks);
    for (const SampleGroup& group : sample_groups(frame.format().pixel_format)) {
        const SampleWindow all = window_of(area, group, frame.format());
        const std::size_t side_x = side >> group.shift_x;
        const std::size_t side_y = side >> group.shift_y;
        for (std::size_t top = all.top; top < all.bottom; top += side_y) {
            for (std::size_t left = all.left; left < all.right; left += side_x) {
                const SampleWindow cell{.left = left,
                                        .top = top,
                                        .right = std::min(left + side_x, all.right),
                                        .bottom = std::min(top + side_y, all.bottom)};
                std::array<double, 4> means = cell_sums(frame, group, cell);
                const auto samples =
                    static_cast<double>((cell.right - cell.left) * (cell.bottom - cell.top));
                for (double& mean : means) {
                    mean /= samples;
                }
                fill_cell(frame, group, cell, means);
            }
        }
    }
}

} // namespace sluice::zero_copy
