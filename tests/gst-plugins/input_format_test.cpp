// SPDX-License-Identifier: Apache-2.0
// Which tensors a frame can become.
#include <gtest/gtest.h>

#include "gst-plugins/infer/input_format.h"

namespace sluice::gst {
namespace {

using graph::DataType;
using graph::Shape;
using zero_copy::ChannelOrder;
using zero_copy::TensorLayout;

runtime::TensorInfo tensor(DataType type, const Shape& shape) {
    return {.name = "picture", .desc = *graph::TensorDesc::create(type, shape)};
}

TEST(InputFormat, finds_where_the_channels_lie) {
    const auto last = input_format(tensor(DataType::Float32, {1, 144, 256, 3}), {}, {});
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->layout, TensorLayout::Nhwc);
    EXPECT_EQ(last->width, 256U);
    EXPECT_EQ(last->height, 144U);
    EXPECT_EQ(last->channels, ChannelOrder::Rgb);
    const auto first =
        input_format(tensor(DataType::Float32, {1, 3, 144, 256}), {}, {.channels = Channels::Bgr});
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->layout, TensorLayout::Nchw);
    EXPECT_EQ(first->width, 256U);
    EXPECT_EQ(first->height, 144U);
    EXPECT_EQ(first->channels, ChannelOrder::Bgr);
    const auto gray = input_format(tensor(DataType::Float32, {1, 1, 28, 28}), {}, {});
    ASSERT_TRUE(gray.has_value());
    EXPECT_EQ(gray->channels, ChannelOrder::Luma);
    EXPECT_EQ(gray->layout, TensorLayout::Nchw);
    const auto told =
        input_format(tensor(DataType::Float32, {1, 3, 5, 3}), {}, {.layout = LayoutWish::Nchw});
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->layout, TensorLayout::Nchw);
    EXPECT_EQ(told->width, 3U);
}

TEST(InputFormat, names_the_tensor_that_no_frame_fits) {
    for (const auto& [type, shape] : {std::pair{DataType::Int32, Shape{1, 4, 4, 3}},
                                      std::pair{DataType::Float32, Shape{4, 4, 3}},
                                      std::pair{DataType::Float32, Shape{2, 4, 4, 3}},
                                      std::pair{DataType::Float32, Shape{1, 4, 4, 2}}}) {
        const auto refused = input_format(tensor(type, shape), {}, {});
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
        EXPECT_NE(refused.error().message.find("'picture'"), std::string::npos);
    }
}

TEST(InputRange, asks_the_user_then_the_manifest_then_the_file) {
    models::ModelInfo file;
    EXPECT_EQ(input_range({}, nullptr, file).low, 0.0F);
    EXPECT_EQ(input_range({}, nullptr, file).high, 1.0F);
    file.normalization = models::Normalization{.mean = 127.5F, .std = 127.5F};
    EXPECT_EQ(input_range({}, nullptr, file).low, -1.0F);
    EXPECT_EQ(input_range({}, nullptr, file).high, 1.0F);
    const models::Manifest manifest{.low = 0.0F, .high = 255.0F};
    EXPECT_EQ(input_range({}, &manifest, file).high, 255.0F);
    const Range user = input_range({.offset = 100.0, .scale = 50.0}, &manifest, file);
    EXPECT_FLOAT_EQ(user.low, -2.0F);
    EXPECT_FLOAT_EQ(user.high, 3.1F);
}

} // namespace
} // namespace sluice::gst
