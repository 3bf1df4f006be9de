// SPDX-License-Identifier: Apache-2.0
// The areas that the redactor works on: boxes clipped to a frame and to whole chroma samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/runtime/thread_pool.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

// Samples of a lane that an effect works on at a time, so that they stay in the cache.
inline constexpr std::size_t kRedactStrip = 256;
using RedactStrip = std::array<float, kRedactStrip>;

// [left, right) x [top, bottom) in pixels, grown to whole chroma samples so that luma and chroma
// agree; and the width that the effect's strength follows, which clipping does not change.
struct RedactArea {
    std::size_t left = 0;
    std::size_t top = 0;
    std::size_t right = 0;
    std::size_t bottom = 0;
    double full_width = 0.0;
};
// Nothing where the box is not finite, empty or outside the frame.
[[nodiscard]] std::optional<RedactArea> clip_box(const PixelBox& box, const FrameFormat& format);

// An area in a group's own samples.
struct SampleWindow {
    std::size_t left = 0;
    std::size_t top = 0;
    std::size_t right = 0;
    std::size_t bottom = 0;
};
[[nodiscard]] SampleWindow window_of(const RedactArea& area, const SampleGroup& group,
                                     const FrameFormat& format);

// Lanes that hold a colour component; alpha and padding are left alone.
[[nodiscard]] std::array<bool, 4> color_lanes(const SampleGroup& group);

// A mosaic's side in pixels: whole chroma samples, at most `blocks` across the area.
[[nodiscard]] std::size_t mosaic_side(const RedactArea& area, const FrameFormat& format,
                                      std::uint32_t blocks);

// The cells that an area's blur works on: their side in pixels, and the Gaussian's sigma.
struct AreaBlurCells {
    double sigma = 0.0;
    std::size_t side = 2;
};
[[nodiscard]] AreaBlurCells area_blur_cells(const RedactArea& area, const FrameFormat& format,
                                            std::uint32_t blocks);
// How many of them an area can have.
struct AreaBlurLimits {
    std::size_t columns = 0;
    std::size_t rows = 0;
};
[[nodiscard]] AreaBlurLimits area_blur_limits(const FrameFormat& format, std::uint32_t blocks);

// At most `blocks` mosaics across, each the mean of what it covers.
void pixelate_area(const MutableFrameView& frame, const RedactArea& area, std::uint32_t blocks);

// A blur of what is inside an area, by itself: nothing from outside enters it.
class AreaBlur {
public:
    AreaBlur(const FrameFormat& format, std::uint32_t blocks);
    void run(const MutableFrameView& frame, const RedactArea& area, runtime::ThreadPool& threads);

private:
    void gather(const MutableFrameView& frame, const SampleGroup& group,
                const SampleWindow& window);
    void write(const MutableFrameView& frame, const SampleGroup& group, const SampleWindow& window);

    std::uint32_t blocks_;
    std::size_t side_x_ = 1; // of a cell, in the current group's samples
    std::size_t side_y_ = 1;
    CellBlur cells_;
};

} // namespace sluice::zero_copy
