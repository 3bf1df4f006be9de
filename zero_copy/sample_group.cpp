// SPDX-License-Identifier: Apache-2.0
// Sample groups, derived from the rows of formats.def.
#include "zero_copy/sample_group.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

SampleGroups sample_groups(PixelFormat format) {
    const FormatInfo& layout = info(format);
    const std::uint8_t bytes = layout.bits > 8 ? 2 : 1;
    SampleGroups out;
    for (std::size_t i = 0; i < layout.components.size(); ++i) {
        const Component& component = layout.components[i];
        if (!component.present) {
            continue;
        }
        const bool chroma = layout.model == ColorModel::Yuv && (i == 1 || i == 2);
        const auto lanes = static_cast<std::uint8_t>(component.step_bytes / bytes);
        SampleGroup* const end = out.group.data() + out.count;
        SampleGroup* const found =
            std::find_if(out.group.data(), end, [&](const SampleGroup& group) {
                return group.plane == component.plane && group.lanes == lanes &&
                       group.chroma == chroma;
            });
        if (found == end) {
            *found = {.plane = component.plane,
                      .lanes = lanes,
                      .bits = layout.bits,
                      .chroma = chroma,
                      .shift_x = chroma ? layout.chroma_shift_x : std::uint8_t{0},
                      .shift_y = chroma ? layout.chroma_shift_y : std::uint8_t{0}};
            ++out.count;
        }
        found->component_of_lane[component.offset_bytes / bytes] = static_cast<std::int8_t>(i);
    }
    return out;
}

SiteOffset site_offset(const SampleGroup& group, ChromaSite site) {
    // Sample 0 of a co-sited pair lies at luma coordinate 0.5, that is 0.25 in chroma units, where
    // a centred one lies at 0.5.
    SiteOffset out;
    if (group.shift_x == 1 && site != ChromaSite::Center) {
        out.x = 0.25;
    }
    if (group.shift_y == 1 && site == ChromaSite::TopLeft) {
        out.y = 0.25;
    }
    return out;
}

} // namespace sluice::zero_copy
