// SPDX-License-Identifier: Apache-2.0
// Asks import_plan() about frames that do not exist.
#include "gst-plugins/common/drm_formats.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <format>
#include <memory>
#include <span>

#include <gst/video/video.h>

#include "zero_copy/import_plan.h"

namespace sluice::gst {

namespace {

using zero_copy::FormatInfo;
using zero_copy::MemoryPlane;

// Whether an image of this many memory planes, all in one dmabuf, can be imported and sampled.
bool takes(const vulkan::DeviceProfile& profile, const FormatInfo& format, std::uint64_t modifier,
           std::size_t planes) {
    constexpr std::uint32_t kSize = 64;
    const std::array memory{zero_copy::FrameMemory{.kind = zero_copy::MemoryKind::DmaBuf,
                                                   .fd = 0, // of no use to a plan
                                                   .size_bytes = std::size_t{1} << 20U,
                                                   .identity = {.device = 1, .inode = 1}}};
    std::array<MemoryPlane, zero_copy::kMaxFrameMemories> places{};
    places.fill({.memory = 0, .offset_bytes = 0, .stride_bytes = std::size_t{kSize} * 4});
    const auto frame = zero_copy::ExternalFrame::create(
        {.pixel_format = format.format, .width = kSize, .height = kSize, .color = {}}, modifier,
        std::span(places).first(planes), memory);
    const auto plan = frame ? zero_copy::import_plan(*frame, {.profile = &profile})
                            : Result<zero_copy::ImportPlan>(std::unexpected(frame.error()));
    return plan && plan->method == zero_copy::ImportMethod::ModifierImage;
}

bool is_of(const FormatInfo& format, std::uint32_t vk_format) {
    return vk_format != 0 && (vk_format == format.vk_format ||
                              std::ranges::contains(format.vk_plane_formats, vk_format));
}

} // namespace

std::string drm_format_name(zero_copy::PixelFormat format, std::uint64_t modifier) {
    const std::unique_ptr<char, decltype(&g_free)> text(
        gst_video_dma_drm_fourcc_to_string(zero_copy::fourcc_code(zero_copy::info(format)),
                                           modifier),
        g_free);
    return text ? text.get() : "";
}

std::string unknown_modifier(const std::string& drm_format, const std::string& linear,
                             std::span<const std::string> taken) {
    std::string others = linear;
    for (const std::string& name : taken) {
        if (name.starts_with(linear + ":")) {
            others += ", " + name;
        }
    }
    return std::format("the device does not know the modifier of drm-format {}; ask upstream for "
                       "one that it reads ({}), or for plain video/x-raw",
                       drm_format, others);
}

std::vector<std::string> tiled_drm_formats(const vulkan::DeviceProfile& profile) {
    std::vector<std::string> names;
    for (const FormatInfo& format : zero_copy::formats()) {
        for (const vulkan::ModifierSupport& row : profile.modifiers) {
            if (row.modifier == zero_copy::kLinearModifier || !is_of(format, row.vk_format)) {
                continue;
            }
            // As an image of the whole frame, or as one for each plane.
            const bool whole = row.memory_planes <= zero_copy::kMaxFrameMemories &&
                               takes(profile, format, row.modifier, row.memory_planes);
            std::string name = drm_format_name(format.format, row.modifier);
            if ((whole || takes(profile, format, row.modifier, format.planes)) &&
                !std::ranges::contains(names, name)) {
                names.push_back(std::move(name));
            }
        }
    }
    return names;
}

} // namespace sluice::gst
