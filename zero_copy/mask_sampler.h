// SPDX-License-Identifier: Apache-2.0
// MaskSampler: an 8-bit mask of any size over the frame, read at the places of a group's samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "zero_copy/frame.h"
#include "zero_copy/mask_taps.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

// Tables for one group of one frame format; allocated once, and again when the mask's size changes.
class MaskSampler {
public:
    MaskSampler(const FrameFormat& frame, const SampleGroup& group);

    // Before a mask is sampled: looks at all of it.
    void prepare(const BackgroundBlend::Mask& mask);
    // The mask's byte under strip x / kStrip of the group's rows [begin, end) where it is one and
    // the same, as in most of a picture.
    static constexpr std::size_t kStrip = 256;
    [[nodiscard]] std::optional<std::uint8_t> only(std::size_t begin, std::size_t end,
                                                   std::size_t x) const;
    // Bilinear, 0..1, at samples [x, x + count) of the group's row y; count <= kStrip.
    void sample(const BackgroundBlend::Mask& mask, std::size_t y, std::size_t x, std::size_t count,
                float* out) const;

private:
    void resize(std::uint32_t mask_width, std::uint32_t mask_height);

    double offset_y_;
    double offset_x_;
    double rows_in_frame_; // the frame's height in the group's samples
    double columns_in_frame_;
    std::uint32_t mask_width_ = 0;
    std::uint32_t mask_height_ = 0;
    bool same_width_ = false;         // mask columns are the group's columns
    std::vector<std::int32_t> first_; // [column]
    std::vector<float> weight_;
    std::vector<MaskTaps> down_; // [row]
    // [mask row][strip]: the byte that all of it is, else kMixed.
    static constexpr std::int16_t kMixed = -1;
    std::vector<std::int16_t> bytes_;
};

} // namespace sluice::zero_copy
