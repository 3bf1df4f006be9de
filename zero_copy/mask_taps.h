// SPDX-License-Identifier: Apache-2.0
// Where a bilinear sample of a mask lies between the mask's own samples.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice::zero_copy {

// The first of two neighbours on an axis, and the second's weight.
struct MaskTaps {
    std::int32_t first;
    float weight;
};

// `position` counts mask samples from the first one's centre; it is kept within the mask.
[[nodiscard]] inline MaskTaps mask_taps(double position, std::uint32_t samples) {
    const double last = samples - 1.0;
    const double kept = std::clamp(position, 0.0, last);
    const double first = std::min(std::floor(kept), std::max(last - 1.0, 0.0));
    return {.first = static_cast<std::int32_t>(first), .weight = static_cast<float>(kept - first)};
}

} // namespace sluice::zero_copy
