// SPDX-License-Identifier: Apache-2.0
// What import plans say to people, and what they ask devices for.
#include <algorithm>
#include <array>
#include <cstdint>
#include <format>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

std::string_view name(ImportMethod method) {
    switch (method) {
    case ImportMethod::SharedImage: return "shared image";
    case ImportMethod::ModifierImage: return "dmabuf image";
    case ImportMethod::LinearBuffer: return "dmabuf buffer";
    case ImportMethod::HostPointer: return "host pointer";
    case ImportMethod::Mapped: return "mapping";
    case ImportMethod::Upload: return "upload";
    }
    return "";
}

std::string modifier_name(std::uint64_t modifier) {
    // DRM_FORMAT_MOD_VENDOR_* of drm_fourcc.h, from 1 on.
    static constexpr auto kVendors =
        std::to_array<std::string_view>({"Intel", "AMD", "NVIDIA", "Samsung", "Qualcomm", "Vivante",
                                         "Broadcom", "Arm", "Allwinner", "Amlogic"});
    if (modifier == kLinearModifier) {
        return "linear modifier";
    }
    if (modifier == kImplicitModifier) {
        return "implicit modifier";
    }
    const std::uint64_t vendor = modifier >> 56U;
    const bool known = vendor >= 1 && vendor <= kVendors.size();
    return std::format("{} modifier {:#x}", known ? kVendors[vendor - 1] : "unknown", modifier);
}

std::string describe(std::span<const ImportRefusal> refusals) {
    std::string text;
    for (const ImportRefusal& refusal : refusals) {
        text +=
            std::format("{}{}: {}", text.empty() ? "" : "; ", name(refusal.method), refusal.reason);
    }
    return text;
}

std::vector<std::uint32_t> frame_vk_formats() {
    std::vector<std::uint32_t> out;
    for (const FormatInfo& row : formats()) {
        out.push_back(row.vk_format);
        out.insert(out.end(), row.vk_plane_formats.begin(), row.vk_plane_formats.end());
    }
    std::ranges::sort(out);
    const auto repeated = std::ranges::unique(out);
    out.erase(repeated.begin(), repeated.end());
    std::erase(out, 0U);
    return out;
}

} // namespace sluice::zero_copy
