// SPDX-License-Identifier: Apache-2.0
// Boxes clipped to a frame.
#include "zero_copy/redact_area.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/checked_math.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

SampleWindow window_of(const RedactArea& area, const SampleGroup& group,
                       const FrameFormat& format) {
    const auto up = [](std::size_t v, unsigned shift) {
        return (v + (std::size_t{1} << shift) - 1) >> shift;
    };
    return {
        .left = area.left >> group.shift_x,
        .top = area.top >> group.shift_y,
        .right = std::min<std::size_t>(up(area.right, group.shift_x), group.columns(format.width)),
        .bottom = std::min<std::size_t>(up(area.bottom, group.shift_y), group.rows(format.height))};
}

std::optional<RedactArea> clip_box(const PixelBox& box, const FrameFormat& format) {
    const bool finite = std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
                        std::isfinite(box.height);
    if (!finite || !(box.width > 0.0) || !(box.height > 0.0)) {
        return std::nullopt;
    }
    const FormatInfo& layout = info(format.pixel_format);
    const std::size_t unit_x = std::size_t{1} << layout.chroma_shift_x;
    const std::size_t unit_y = std::size_t{1} << layout.chroma_shift_y;
    const auto down = [](double at, std::uint32_t limit, std::size_t unit) {
        const double kept = std::clamp(std::floor(at), 0.0, static_cast<double>(limit));
        return static_cast<std::size_t>(kept) / unit * unit;
    };
    const auto up = [](double at, std::uint32_t limit, std::size_t unit) {
        const double kept = std::clamp(std::ceil(at), 0.0, static_cast<double>(limit));
        return std::min<std::size_t>(align_up(static_cast<std::size_t>(kept), unit), limit);
    };
    const RedactArea area{.left = down(box.x, format.width, unit_x),
                          .top = down(box.y, format.height, unit_y),
                          .right = up(box.x + box.width, format.width, unit_x),
                          .bottom = up(box.y + box.height, format.height, unit_y),
                          .full_width = box.width};
    const bool outside = box.x >= format.width || box.y >= format.height ||
                         box.x + box.width <= 0.0 || box.y + box.height <= 0.0;
    return outside || area.left >= area.right || area.top >= area.bottom ? std::nullopt
                                                                         : std::optional(area);
}

std::array<bool, 4> color_lanes(const SampleGroup& group) {
    std::array<bool, 4> out{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        out[lane] = group.component_of_lane[lane] >= 0 && group.component_of_lane[lane] < 3;
    }
    return out;
}

} // namespace sluice::zero_copy
