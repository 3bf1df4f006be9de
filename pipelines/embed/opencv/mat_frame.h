// SPDX-License-Identifier: Apache-2.0
// cv::Mat as a frame, where it lies.
#pragma once

#include <opencv2/core/mat.hpp>

#include "core/base/result.h"
#include "zero_copy/frame.h"

namespace sluice::embed {

// The matrix's rows, borrowed: it must outlive the view and must not be reallocated meanwhile.
// CV_8UC1 is read as GRAY8 (full range), CV_8UC3 as BGR and CV_8UC4 as BGRA, as OpenCV has them.
// Regions of interest, padded rows and continuous matrices are all fine. InvalidArgument names the
// type, the number of dimensions or the size of what is none of these.
[[nodiscard]] Result<zero_copy::FrameView> frame_of(const cv::Mat& matrix);
// The same to be written. The pixels of every other cv::Mat that shares this data change, too.
[[nodiscard]] Result<zero_copy::MutableFrameView> mutable_frame_of(cv::Mat& matrix);

// The same for channels in another order: RGB or BGR of three, RGBA, BGRA, RGBx or BGRx of four,
// GRAY8 of one. InvalidArgument if the matrix has another number of channels.
[[nodiscard]] Result<zero_copy::FrameView> frame_of(const cv::Mat& matrix,
                                                    zero_copy::PixelFormat format);
[[nodiscard]] Result<zero_copy::MutableFrameView> mutable_frame_of(cv::Mat& matrix,
                                                                   zero_copy::PixelFormat format);

} // namespace sluice::embed
