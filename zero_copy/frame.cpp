// SPDX-License-Identifier: Apache-2.0
// Validation of frame views.
#include "zero_copy/frame.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

namespace {

// Index tables hold byte offsets of a row in 32 bits; 2^28 pixels of 4 bytes fit.
constexpr std::uint32_t kMaxSide = 1U << 28U;

// Bytes from a plane's first to its last sample; the last row is not padded.
Result<std::size_t> required_bytes(const FormatInfo& format, std::size_t plane,
                                   std::uint32_t height, std::size_t row, std::size_t stride) {
    const std::uint32_t rows = plane_rows(format, plane, height);
    const auto before = checked_mul<std::size_t>(stride, rows - 1);
    const auto total = before ? checked_add<std::size_t>(*before, row) : before;
    if (!total) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: plane {} of {} rows with a stride of {} bytes overflows",
                    format.gst_name, plane, rows, stride);
    }
    return *total;
}

} // namespace

Status check_format(const FrameFormat& format) {
    if (static_cast<std::size_t>(format.pixel_format) >= formats().size()) {
        return fail(ErrorCode::InvalidArgument, "frame: no pixel format has the number {}",
                    static_cast<unsigned>(format.pixel_format));
    }
    if (format.width == 0 || format.height == 0 || format.width > kMaxSide ||
        format.height > kMaxSide) {
        return fail(ErrorCode::InvalidArgument, "{} frame: size {}x{} must lie within 1 and {}",
                    info(format.pixel_format).gst_name, format.width, format.height, kMaxSide);
    }
    return {};
}

Status check_plane(const FrameFormat& format, std::size_t plane, std::size_t stride_bytes,
                   std::size_t available_bytes) {
    const FormatInfo& layout = info(format.pixel_format);
    const std::size_t row = row_bytes(layout, plane, format.width);
    if (stride_bytes < row) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: plane {} has a stride of {} bytes, a row of {} pixels needs {}",
                    layout.gst_name, plane, stride_bytes, format.width, row);
    }
    SLUICE_TRY_ASSIGN(const std::size_t required,
                      required_bytes(layout, plane, format.height, row, stride_bytes));
    if (available_bytes < required) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: plane {} has {} bytes, {} rows with a stride of {} need {}",
                    layout.gst_name, plane, available_bytes,
                    plane_rows(layout, plane, format.height), stride_bytes, required);
    }
    return {};
}

template <typename Byte>
Result<BasicFrameView<Byte>>
BasicFrameView<Byte>::create(const FrameFormat& format, std::span<const BasicPlane<Byte>> planes) {
    SLUICE_TRY(check_format(format));
    const FormatInfo& layout = info(format.pixel_format);
    if (planes.size() != layout.planes) {
        return fail(ErrorCode::InvalidArgument, "{} frame: {} planes given, {} needed",
                    layout.gst_name, planes.size(), layout.planes);
    }
    BasicFrameView view;
    view.format_ = format;
    for (std::size_t i = 0; i < planes.size(); ++i) {
        const BasicPlane<Byte>& plane = planes[i];
        if (plane.data == nullptr) {
            return fail(ErrorCode::InvalidArgument, "{} frame: plane {} has no memory",
                        layout.gst_name, i);
        }
        if (layout.bits > 8 && (reinterpret_cast<std::uintptr_t>(plane.data) % 2 != 0 ||
                                plane.stride_bytes % 2 != 0)) {
            return fail(ErrorCode::InvalidArgument,
                        "{} frame: plane {} has an odd address or stride {}; samples of two bytes "
                        "need even ones",
                        layout.gst_name, i, plane.stride_bytes);
        }
        SLUICE_TRY(check_plane(format, i, plane.stride_bytes, plane.size_bytes));
        view.planes_[i] = plane;
    }
    return view;
}

template class BasicFrameView<const std::byte>;
template class BasicFrameView<std::byte>;

} // namespace sluice::zero_copy
