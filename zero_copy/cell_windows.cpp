// SPDX-License-Identifier: Apache-2.0
// CellWindows: areas cut into cells, luma and chroma.
#include "zero_copy/cell_windows.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/checked_math.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/redact_area.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

CellWindows::CellWindows(std::span<std::uint32_t> words, std::size_t pool)
    : words_(words), pool_(pool) {
    clear();
}

void CellWindows::clear() {
    used_ = 0;
    windows_ = 0;
    words_[0] = 0;
}

bool CellWindows::add(const FrameFormat& format, const RedactArea& area, const Cells& cells) {
    std::array<Grid, 2> grids{};
    std::size_t needed = 0;
    for (const SampleGroup& group : sample_groups(format.pixel_format)) {
        Grid& grid = grids[group.chroma ? 1 : 0];
        if (grid.count[0] != 0) {
            continue; // U and V in planes of their own have the same grid
        }
        grid.window = window_of(area, group, format);
        grid.side = {cells.side >> group.shift_x, cells.side >> group.shift_y};
        grid.count = {div_ceil(grid.window.right - grid.window.left, grid.side[0]),
                      div_ceil(grid.window.bottom - grid.window.top, grid.side[1])};
        if (cells.sigma > 0.0) {
            grid.kernel = {cell_kernel(cells.sigma / (1U << group.shift_x), grid.side[0]),
                           cell_kernel(cells.sigma / (1U << group.shift_y), grid.side[1])};
        }
        needed += grid.count[0] * grid.count[1];
    }
    if (used_ + needed > pool_ || (windows_ + 2) * kWindowWords >= words_.size()) {
        return false;
    }
    for (const Grid& grid : grids) {
        write(windows_++, grid);
        used_ += grid.count[0] * grid.count[1];
    }
    words_[0] = static_cast<std::uint32_t>(windows_);
    return true;
}

void CellWindows::write(std::size_t index, const Grid& grid) {
    const std::span<std::uint32_t> out = words_.subspan(1 + (index * kWindowWords), kWindowWords);
    const auto word = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
    const SampleWindow& window = grid.window;
    const std::array<std::uint32_t, 11> head{
        word(window.left),           word(window.top),           word(window.right),
        word(window.bottom),         word(grid.side[0]),         word(grid.side[1]),
        word(grid.count[0]),         word(grid.count[1]),        word(used_),
        word(grid.kernel[0].radius), word(grid.kernel[1].radius)};
    for (std::size_t i = 0; i < head.size(); ++i) {
        out[i] = head[i];
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
        for (std::size_t i = 0; i < kKernelWords; ++i) {
            out[head.size() + (axis * kKernelWords) + i] =
                std::bit_cast<std::uint32_t>(grid.kernel[axis].weights[i]);
        }
    }
}

} // namespace sluice::zero_copy
