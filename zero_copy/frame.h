// SPDX-License-Identifier: Apache-2.0
// FrameView: somebody else's video frame, where it lies in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

enum class ColorMatrix : std::uint8_t { Bt601, Bt709, Bt2020 };
enum class ColorRange : std::uint8_t { Limited, Full };
// Where a chroma sample sits relative to its block of luma samples.
enum class ChromaSite : std::uint8_t {
    Left,    // horizontally on the left luma sample, vertically between (MPEG-2, H.264's default)
    Center,  // between in both directions (JPEG, MPEG-1)
    TopLeft, // on the top left luma sample (BT.2020)
};

// How samples map to R'G'B'. Ignored for RGB formats; GRAY8 uses the range only.
struct Colorimetry {
    ColorMatrix matrix = ColorMatrix::Bt601;
    ColorRange range = ColorRange::Limited;
    ChromaSite chroma_site = ChromaSite::Left;

    friend bool operator==(const Colorimetry&, const Colorimetry&) = default;
};

// What stays the same from frame to frame: everything that index tables are computed from.
struct FrameFormat {
    PixelFormat pixel_format = PixelFormat::Nv12;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    Colorimetry color;

    friend bool operator==(const FrameFormat&, const FrameFormat&) = default;
};

// Whether a picture of this format can exist: a known pixel format, a size within 1 and 2^28.
// InvalidArgument names the value.
[[nodiscard]] Status check_format(const FrameFormat& format);
// Whether `available_bytes` from a plane's first byte on hold all of its rows, `stride_bytes`
// apart. InvalidArgument names the plane, the size or stride it has and the one it needs.
[[nodiscard]] Status check_plane(const FrameFormat& format, std::size_t plane,
                                 std::size_t stride_bytes, std::size_t available_bytes);

// One plane's memory. Rows may be padded; `size_bytes` is what may be touched from `data` on (the
// last row needs no padding).
template <typename Byte>
struct BasicPlane {
    Byte* data = nullptr;
    std::size_t stride_bytes = 0;
    std::size_t size_bytes = 0;
};

// Planes that a caller owns and keeps mapped while the view is used. Valid by construction: planes
// are present and large enough, strides hold a row. Copying copies pointers only.
template <typename Byte>
class BasicFrameView {
public:
    // InvalidArgument names the plane, the size or stride it has and the one it needs.
    [[nodiscard]] static Result<BasicFrameView> create(const FrameFormat& format,
                                                       std::span<const BasicPlane<Byte>> planes);

    // A mutable view is also a read-only one.
    operator BasicFrameView<const std::byte>() const // NOLINT(google-explicit-constructor)
        requires(!std::is_const_v<Byte>)
    {
        BasicFrameView<const std::byte> out;
        out.format_ = format_;
        for (std::size_t i = 0; i < planes_.size(); ++i) {
            out.planes_[i] = {planes_[i].data, planes_[i].stride_bytes, planes_[i].size_bytes};
        }
        return out;
    }

    [[nodiscard]] const FrameFormat& format() const { return format_; }
    [[nodiscard]] std::uint32_t width() const { return format_.width; }
    [[nodiscard]] std::uint32_t height() const { return format_.height; }
    [[nodiscard]] const BasicPlane<Byte>& plane(std::size_t i) const { return planes_[i]; }
    [[nodiscard]] Byte* row(std::size_t plane, std::size_t y) const {
        return planes_[plane].data + y * planes_[plane].stride_bytes;
    }

private:
    template <typename>
    friend class BasicFrameView;
    BasicFrameView() = default;

    FrameFormat format_;
    std::array<BasicPlane<Byte>, 4> planes_{};
};

using FrameView = BasicFrameView<const std::byte>;
using MutableFrameView = BasicFrameView<std::byte>;
using Plane = BasicPlane<const std::byte>;
using MutablePlane = BasicPlane<std::byte>;

} // namespace sluice::zero_copy
