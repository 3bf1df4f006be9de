// SPDX-License-Identifier: Apache-2.0
// CellWindows: the windows that the device's blur and mosaics work on, as shaders/lib/cells.glsl
// reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/redact_area.h"

namespace sluice::zero_copy {

// Fills memory that was given to it: a count, then windows in pairs (luma or RGB, then chroma). The
// cells of all lie in one pool. Allocates nothing.
class CellWindows {
public:
    static constexpr std::size_t kWindowWords = 144;
    static constexpr std::size_t kKernelWords = 65;
    [[nodiscard]] static constexpr std::size_t words_for(std::size_t areas) {
        return 1 + (2 * areas * kWindowWords);
    }

    // `words` holds words_for(areas), which may be mapped memory of a device; `pool` cells at most.
    CellWindows(std::span<std::uint32_t> words, std::size_t pool);

    // How an area is cut into cells: their side in pixels, and the Gaussian over them (0: none).
    struct Cells {
        std::size_t side = 1;
        double sigma = 0.0;
    };
    // Adds an area's two windows; false if they do not fit any more.
    [[nodiscard]] bool add(const FrameFormat& format, const RedactArea& area, const Cells& cells);
    void clear();
    [[nodiscard]] std::size_t cells() const { return used_; }

private:
    struct Grid {
        SampleWindow window;
        std::array<std::size_t, 2> side{1, 1};
        std::array<std::size_t, 2> count{};
        std::array<GaussianKernel, 2> kernel;
    };
    void write(std::size_t index, const Grid& grid);

    std::span<std::uint32_t> words_;
    std::size_t pool_;
    std::size_t used_ = 0;
    std::size_t windows_ = 0;
};

} // namespace sluice::zero_copy
