// SPDX-License-Identifier: Apache-2.0
// The table of pixel formats, expanded from formats.def.
#include "zero_copy/pixel_format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::zero_copy {

namespace {

constexpr Component at(int plane, int offset_bytes, int step_bytes) {
    return {.present = true,
            .plane = static_cast<std::uint8_t>(plane),
            .offset_bytes = static_cast<std::uint8_t>(offset_bytes),
            .step_bytes = static_cast<std::uint8_t>(step_bytes)};
}

// VkFormats by the names that formats.def uses; the numbers are those of vulkan_core.h, which
// builds without Vulkan don't have. A test compares them.
namespace vk {
constexpr std::uint32_t kNONE = 0;
constexpr std::uint32_t kR8 = 9;
constexpr std::uint32_t kR8G8 = 16;
constexpr std::uint32_t kR8G8B8 = 23;
constexpr std::uint32_t kB8G8R8 = 30;
constexpr std::uint32_t kR8G8B8A8 = 37;
constexpr std::uint32_t kB8G8R8A8 = 44;
constexpr std::uint32_t kR16 = 70;
constexpr std::uint32_t kR16G16 = 77;
constexpr std::uint32_t kG8B8G8R8_422 = 1000156000;
constexpr std::uint32_t kB8G8R8G8_422 = 1000156001;
constexpr std::uint32_t kG8_B8_R8_3PLANE_420 = 1000156002;
constexpr std::uint32_t kG8_B8R8_2PLANE_420 = 1000156003;
constexpr std::uint32_t kG10X6_B10X6R10X6_2PLANE_420 = 1000156013;
} // namespace vk

constexpr auto kFormats = std::to_array<FormatInfo>({
#define C(plane, offset, step) at(plane, offset, step)
#define NONE                                                                                       \
    Component {}
#define VK(whole, p0, p1, p2)                                                                      \
    .vk_format = vk::k##whole, .vk_plane_formats = {vk::k##p0, vk::k##p1, vk::k##p2}
#define SLUICE_FORMAT(Type, gst, fourcc, model_, planes_, cx, cy, bits_, c0, c1, c2, c3, vk_)      \
    FormatInfo{.format = PixelFormat::Type,                                                        \
               .gst_name = gst,                                                                    \
               .drm_fourcc = fourcc,                                                               \
               .model = ColorModel::model_,                                                        \
               .planes = planes_,                                                                  \
               .chroma_shift_x = cx,                                                               \
               .chroma_shift_y = cy,                                                               \
               .bits = bits_,                                                                      \
               .components = {c0, c1, c2, c3},                                                     \
               vk_},
#include "zero_copy/formats.def"
#undef SLUICE_FORMAT
#undef VK
#undef NONE
#undef C
});

// log2 of the subsampling of a plane's rows: that of chroma if the plane has nothing else.
constexpr unsigned row_shift(const FormatInfo& format, std::size_t plane) {
    const bool holds_luma = format.components[0].plane == plane;
    return holds_luma ? 0U : format.chroma_shift_y;
}

} // namespace

std::span<const FormatInfo> formats() {
    return kFormats;
}

const FormatInfo& info(PixelFormat format) {
    return kFormats[static_cast<std::size_t>(format)];
}

std::optional<PixelFormat> format_from_gst_name(std::string_view name) {
    const auto* const found = std::ranges::find(kFormats, name, &FormatInfo::gst_name);
    return found == kFormats.end() ? std::nullopt : std::optional(found->format);
}

std::uint32_t fourcc_code(const FormatInfo& format) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < format.drm_fourcc.size(); ++i) {
        code |= static_cast<std::uint32_t>(static_cast<unsigned char>(format.drm_fourcc[i]))
                << (8 * i);
    }
    return code;
}

std::optional<PixelFormat> format_from_fourcc(std::uint32_t fourcc) {
    const auto* const found = std::ranges::find(kFormats, fourcc, fourcc_code);
    return found == kFormats.end() ? std::nullopt : std::optional(found->format);
}

std::size_t row_bytes(const FormatInfo& format, std::size_t plane, std::uint32_t width) {
    // A component with a step of its own ends in a whole step: the other samples of its group, or
    // padding, fill it.
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < format.components.size(); ++i) {
        const Component& component = format.components[i];
        if (!component.present || component.plane != plane) {
            continue;
        }
        const bool chroma = format.model == ColorModel::Yuv && (i == 1 || i == 2);
        const unsigned shift = chroma ? format.chroma_shift_x : 0U;
        const std::size_t samples = (std::size_t{width} + (1U << shift) - 1) >> shift;
        bytes = std::max(bytes, samples * component.step_bytes);
    }
    return bytes;
}

std::uint32_t plane_rows(const FormatInfo& format, std::size_t plane, std::uint32_t height) {
    const unsigned shift = row_shift(format, plane);
    return (height >> shift) + static_cast<std::uint32_t>((height & ((1U << shift) - 1U)) != 0);
}

} // namespace sluice::zero_copy
