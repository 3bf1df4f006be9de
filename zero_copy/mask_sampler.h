// SPDX-License-Identifier: Apache-2.0
// MaskSampler: an 8-bit mask of any size over the frame, read at the places of a group's samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "zero_copy/frame.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

// Tables for one group of one frame format; allocated once, filled again when the mask's size
// changes.
class MaskSampler {
public:
    MaskSampler(const FrameFormat& frame, const SampleGroup& group);

    void prepare(std::uint32_t mask_width, std::uint32_t mask_height);
    // Bilinear, 0..1, at samples [x, x + count) of the group's row y; count <= kStrip. Gives the
    // mask's byte where all that is sampled is the same one, as in most of a picture.
    static constexpr std::size_t kStrip = 256;
    std::optional<std::uint8_t> sample(const BackgroundBlend::Mask& mask, std::size_t y,
                                       std::size_t x, std::size_t count, float* out) const;

private:
    double offset_y_;
    double offset_x_;
    double rows_in_frame_; // the frame's height in the group's samples
    double columns_in_frame_;
    std::uint32_t mask_width_ = 0;
    std::uint32_t mask_height_ = 0;
    bool same_width_ = false; // mask columns are the group's columns
    std::vector<std::int32_t> first_;
    std::vector<float> weight_;
};

} // namespace sluice::zero_copy
