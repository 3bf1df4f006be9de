// SPDX-License-Identifier: Apache-2.0
// Pixel formats: everything that the rows of formats.def say.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::zero_copy {

enum class PixelFormat : std::uint8_t {
#define SLUICE_FORMAT(Type, gst_name, fourcc, model, planes, cx, cy, bits, c0, c1, c2, c3, vk) Type,
#include "zero_copy/formats.def"
#undef SLUICE_FORMAT
};

enum class ColorModel : std::uint8_t { Yuv, Rgb, Gray };

// Where the samples of one component lie.
struct Component {
    bool present = false;
    std::uint8_t plane = 0;
    std::uint8_t offset_bytes = 0; // of the first sample from the start of a row
    std::uint8_t step_bytes = 0;   // from one sample to the next in a row
};

struct FormatInfo {
    PixelFormat format;
    std::string_view gst_name;   // "NV12"
    std::string_view drm_fourcc; // "NV12"; "R8  " is padded to four characters
    ColorModel model;
    std::uint8_t planes;
    std::uint8_t chroma_shift_x; // log2 of the horizontal subsampling of U and V
    std::uint8_t chroma_shift_y;
    std::uint8_t bits;                   // of a sample; 10 is stored in the high bits of 16
    std::array<Component, 4> components; // Y/R, U/G, V/B, A
    // VkFormats of an image that holds the whole frame, and of one that holds one plane as it lies:
    // a texel is one sample of the plane's first group (a pair of pixels in packed 4:2:2).
    std::uint32_t vk_format;
    std::array<std::uint32_t, 3> vk_plane_formats;
};

// All formats, indexed by PixelFormat.
[[nodiscard]] std::span<const FormatInfo> formats();
[[nodiscard]] const FormatInfo& info(PixelFormat format);
[[nodiscard]] std::optional<PixelFormat> format_from_gst_name(std::string_view name);

// The fourcc as drm_fourcc.h writes it: the first character in the low byte.
[[nodiscard]] std::uint32_t fourcc_code(const FormatInfo& format);
[[nodiscard]] std::optional<PixelFormat> format_from_fourcc(std::uint32_t fourcc);

// Bytes of samples in one row of a plane, and rows of a plane, for a picture of this size. Odd
// sizes round the chroma up. Widths up to 2^28 cannot overflow.
[[nodiscard]] std::size_t row_bytes(const FormatInfo& format, std::size_t plane,
                                    std::uint32_t width);
[[nodiscard]] std::uint32_t plane_rows(const FormatInfo& format, std::size_t plane,
                                       std::uint32_t height);

} // namespace sluice::zero_copy
