// SPDX-License-Identifier: Apache-2.0
// TurnedSampler: single points of a frame, for regions that are turned by an angle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "zero_copy/frame.h"
#include "zero_copy/sample_group.h"

namespace sluice::zero_copy {

class TurnedSampler {
public:
    explicit TurnedSampler(const FrameFormat& frame);

    // Adds the codes of the first three components at outer-corner luma coordinates (x, y), which
    // lie inside the frame; bilinear, or of the pixel that holds the point.
    void add(const FrameView& frame, double x, double y, bool nearest,
             std::array<float, 3>& codes) const;

private:
    struct GroupPlace {
        SampleGroup group;
        SiteOffset offset;
        std::uint32_t columns = 0;
        std::uint32_t rows = 0;
    };
    std::array<GroupPlace, 3> groups_{};
    std::size_t count_ = 0;
};

} // namespace sluice::zero_copy
