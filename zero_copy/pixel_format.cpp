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

constexpr auto kFormats = std::to_array<FormatInfo>({
#define C(plane, offset, step) at(plane, offset, step)
#define NONE                                                                                       \
    Component {}
#define SLUICE_FORMAT(Type, gst, fourcc, model_, planes_, cx, cy, bits_, c0, c1, c2, c3)           \
    FormatInfo{.format = PixelFormat::Type,                                                        \
               .gst_name = gst,                                                                    \
               .drm_fourcc = fourcc,                                                               \
               .model = ColorModel::model_,                                                        \
               .planes = planes_,                                                                  \
               .chroma_shift_x = cx,                                                               \
               .chroma_shift_y = cy,                                                               \
               .bits = bits_,                                                                      \
               .components = {c0, c1, c2, c3}},
#include "zero_copy/formats.def"
#undef SLUICE_FORMAT
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
