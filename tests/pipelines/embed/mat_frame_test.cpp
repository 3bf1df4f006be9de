// SPDX-License-Identifier: Apache-2.0
// Matrices as frames: which pixels, which formats, what is refused.
#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "pipelines/embed/opencv/mat_frame.h"
#include "tests/support/must.h"
#include "zero_copy/pixel_format.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using zero_copy::PixelFormat;

TEST(MatFrame, is_the_matrix_itself) {
    cv::Mat picture(5, 7, CV_8UC3, cv::Scalar(1, 2, 3));
    const auto frame = must(embed::mutable_frame_of(picture));
    EXPECT_EQ(frame.format().pixel_format, PixelFormat::Bgr);
    EXPECT_EQ(frame.width(), 7U);
    EXPECT_EQ(frame.height(), 5U);
    *frame.row(0, 4) = std::byte{9};
    EXPECT_EQ(picture.at<cv::Vec3b>(4, 0)[0], 9);
}

TEST(MatFrame, takes_its_format_from_the_channels) {
    EXPECT_EQ(must(embed::frame_of(cv::Mat(2, 2, CV_8UC1))).format().pixel_format,
              PixelFormat::Gray8);
    EXPECT_EQ(must(embed::frame_of(cv::Mat(2, 2, CV_8UC1))).format().color.range,
              zero_copy::ColorRange::Full);
    EXPECT_EQ(must(embed::frame_of(cv::Mat(2, 2, CV_8UC4))).format().pixel_format,
              PixelFormat::Bgra);
    EXPECT_EQ(must(embed::frame_of(cv::Mat(2, 2, CV_8UC3), PixelFormat::Rgb)).format().pixel_format,
              PixelFormat::Rgb);
}

// A region's rows are as far apart as the whole picture's, and its last row ends early.
TEST(MatFrame, keeps_to_a_region_of_interest) {
    cv::Mat whole(10, 12, CV_8UC3, cv::Scalar(0, 0, 0));
    whole.at<cv::Vec3b>(6, 5) = {4, 5, 6};
    const cv::Mat region = whole(cv::Rect(5, 6, 7, 4));
    const auto frame = must(embed::frame_of(region));
    EXPECT_EQ(frame.plane(0).stride_bytes, 36U);
    EXPECT_EQ(frame.plane(0).size_bytes, 3U * 36 + 21);
    EXPECT_EQ(*frame.row(0, 0), std::byte{4});
}

std::string refusal(const Result<zero_copy::FrameView>& frame) {
    return frame ? "nothing was refused" : frame.error().message;
}

TEST(MatFrame, refuses_what_is_no_picture) {
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat())), HasSubstr("empty"));
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat(2, 2, CV_8UC2))), HasSubstr("2 channels"));
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat(2, 2, CV_32FC3))), HasSubstr("CV_32FC3"));
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat(std::vector<int>{2, 3, 4}, CV_8UC1))),
                HasSubstr("3 dimensions"));
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat(2, 2, CV_8UC3), PixelFormat::Rgba)),
                HasSubstr("3 channels cannot be read as RGBA"));
    EXPECT_THAT(refusal(embed::frame_of(cv::Mat(2, 2, CV_8UC1), PixelFormat::Nv12)),
                HasSubstr("cannot be read as NV12"));
}

} // namespace
} // namespace sluice::testing
