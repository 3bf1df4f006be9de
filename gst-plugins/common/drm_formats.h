// SPDX-License-Identifier: Apache-2.0
// Which tiled dmabufs a device takes. Pure: of devices that nobody has here, too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/vulkan/profile.h"
#include "zero_copy/pixel_format.h"

namespace sluice::gst {

// The drm-format of caps: "NV12", or "NV12:0x0100000000000002" with another modifier than linear.
[[nodiscard]] std::string drm_format_name(zero_copy::PixelFormat format, std::uint64_t modifier);

// The drm-formats with other modifiers than linear whose frames the device can sample where they
// lie, by import_plan()'s word: in the order of zero_copy/formats.def, then in the device's.
[[nodiscard]] std::vector<std::string> tiled_drm_formats(const vulkan::DeviceProfile& profile);

// The sentence for a drm-format that is not among `taken`: what of its fourcc is, and the remedy.
[[nodiscard]] std::string unknown_modifier(const std::string& drm_format, const std::string& linear,
                                           std::span<const std::string> taken);

} // namespace sluice::gst
