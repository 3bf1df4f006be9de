// SPDX-License-Identifier: Apache-2.0
// Describing matrices: types, steps and sizes.
#include "pipelines/embed/opencv/mat_frame.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::embed {
namespace {

using zero_copy::BasicFrameView;
using zero_copy::BasicPlane;
using zero_copy::PixelFormat;

Result<PixelFormat> usual_format(const cv::Mat& matrix) {
    switch (matrix.channels()) {
    case 1: return PixelFormat::Gray8;
    case 3: return PixelFormat::Bgr;
    case 4: return PixelFormat::Bgra;
    default: break;
    }
    return fail(ErrorCode::InvalidArgument,
                "a cv::Mat of {} channels is no frame; convert it to 1 (grey), 3 (BGR) or 4 (BGRA)",
                matrix.channels());
}

Status check(const cv::Mat& matrix, PixelFormat format) {
    if (matrix.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "the cv::Mat is empty; was the picture read without an error?");
    }
    if (matrix.dims != 2) {
        return fail(ErrorCode::InvalidArgument, "a cv::Mat of {} dimensions is no frame; give 2",
                    matrix.dims);
    }
    if (matrix.depth() != CV_8U) {
        return fail(
            ErrorCode::InvalidArgument,
            "the cv::Mat's elements are {}, not 8-bit unsigned; convert it with convertTo()",
            cv::typeToString(matrix.type()));
    }
    const auto& wanted = zero_copy::info(format);
    if (wanted.planes != 1 || wanted.chroma_shift_x != 0 ||
        wanted.components[0].step_bytes != matrix.channels()) {
        return fail(ErrorCode::InvalidArgument, "a cv::Mat of {} channels cannot be read as {}",
                    matrix.channels(), wanted.gst_name);
    }
    return {};
}

template <typename Byte>
Result<BasicFrameView<Byte>> view_of(const cv::Mat& matrix, PixelFormat format, Byte* data) {
    SLUICE_TRY(check(matrix, format));
    const auto stride = static_cast<std::size_t>(matrix.step[0]);
    const auto rows = static_cast<std::size_t>(matrix.rows);
    const std::size_t row_bytes = static_cast<std::size_t>(matrix.cols) * matrix.elemSize();
    const BasicPlane<Byte> plane{
        .data = data, .stride_bytes = stride, .size_bytes = (rows - 1) * stride + row_bytes};
    const zero_copy::FrameFormat described{
        .pixel_format = format,
        .width = static_cast<std::uint32_t>(matrix.cols),
        .height = static_cast<std::uint32_t>(matrix.rows),
        // Grey of pictures uses all 256 values.
        .color = {.range = zero_copy::ColorRange::Full},
    };
    return BasicFrameView<Byte>::create(described, std::span(&plane, 1));
}

} // namespace

Result<zero_copy::FrameView> frame_of(const cv::Mat& matrix, PixelFormat format) {
    return view_of(matrix, format, reinterpret_cast<const std::byte*>(matrix.data));
}

Result<zero_copy::FrameView> frame_of(const cv::Mat& matrix) {
    SLUICE_TRY_ASSIGN(const PixelFormat format, usual_format(matrix));
    return frame_of(matrix, format);
}

Result<zero_copy::MutableFrameView> mutable_frame_of(cv::Mat& matrix, PixelFormat format) {
    return view_of(matrix, format, reinterpret_cast<std::byte*>(matrix.data));
}

Result<zero_copy::MutableFrameView> mutable_frame_of(cv::Mat& matrix) {
    SLUICE_TRY_ASSIGN(const PixelFormat format, usual_format(matrix));
    return mutable_frame_of(matrix, format);
}

} // namespace sluice::embed
