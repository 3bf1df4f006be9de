// SPDX-License-Identifier: Apache-2.0
// FrameToTensor against loops in double precision, for every format, colorimetry and sampling.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"
#include "tests/zero_copy/tensor_reference.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kSeed = 20260;
// The promise is one code; sampling errors of a fraction of a pixel are smaller on smooth content.
constexpr double kToleranceCodes = 0.02;

// Runs and compares every value; returns the largest difference in codes.
double worst(const TestFrame& frame, const SourceRegion& region, const TensorFormat& tensor) {
    const auto threads = runtime::ThreadPool::shared(2);
    const auto converter = must(FrameToTensor::create(frame.format(), region, tensor));
    const int channels = tensor.channels == ChannelOrder::Luma ? 1 : 3;
    const std::size_t plane = std::size_t{tensor.width} * tensor.height;
    std::vector<float> out(plane * static_cast<std::size_t>(channels), -1000.0F);
    converter.run(frame.view(), out, *threads);
    const TensorReference reference(frame, region, tensor);
    double largest = 0.0;
    for (std::uint32_t y = 0; y < tensor.height; ++y) {
        for (std::uint32_t x = 0; x < tensor.width; ++x) {
            const std::array<double, 3> expected = reference.values(x, y);
            for (int c = 0; c < channels; ++c) {
                const std::size_t pixel = (std::size_t{y} * tensor.width) + x;
                const std::size_t channel = static_cast<std::size_t>(c);
                const std::size_t at = tensor.layout == TensorLayout::Nhwc
                                           ? (pixel * static_cast<std::size_t>(channels)) + channel
                                           : (channel * plane) + pixel;
                const double difference = std::abs(out[at] - expected[channel]);
                largest =
                    std::max(largest, difference / std::abs(tensor.high - tensor.low) * 255.0);
            }
        }
    }
    return largest;
}

std::vector<Colorimetry> colorimetries() {
    std::vector<Colorimetry> out;
    for (const ColorMatrix matrix : {ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020}) {
        for (const ColorRange range : {ColorRange::Limited, ColorRange::Full}) {
            for (const ChromaSite site :
                 {ChromaSite::Left, ChromaSite::Center, ChromaSite::TopLeft}) {
                out.push_back({.matrix = matrix, .range = range, .chroma_site = site});
            }
        }
    }
    return out;
}

class EveryFormat : public ::testing::TestWithParam<PixelFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, ::testing::ValuesIn(all_formats()),
                         [](const auto& test) {
                             return std::string(zero_copy::info(test.param).gst_name);
                         });

} // namespace

TEST_P(EveryFormat, FrameToTensor_is_exact_for_all_colorimetries_and_samplings) {
    std::mt19937 random(kSeed);
    // Enlarging, shrinking a little, shrinking much; odd sizes; partly outside.
    struct Case {
        std::uint32_t width, height, tensor_width, tensor_height;
        SourceRegion region;
    };
    const std::vector<Case> cases{
        {37, 23, 41, 29, stretch(37, 23)},
        {37, 23, 25, 17, stretch(37, 23)},
        {131, 67, 23, 9, stretch(131, 67)},
        {64, 36, 33, 33, letterbox(64, 36, 33, 33)},
        {53, 31, 19, 21, {.x = -7.3, .y = 4.1, .width = 40.7, .height = 45.9}},
    };
    for (const Colorimetry& color : colorimetries()) {
        for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::Area}) {
            const Case& c = cases[random() % cases.size()];
            for (const bool gradient : {false, true}) {
                TestFrame frame({GetParam(), c.width, c.height, color}, (random() % 8) * 2);
                gradient ? frame.fill_gradient() : frame.fill_random(random);
                const TensorFormat tensor{.width = c.tensor_width,
                                          .height = c.tensor_height,
                                          .low = -1.0F,
                                          .high = 1.0F,
                                          .sampling = sampling,
                                          .fill = 0.25F};
                EXPECT_LT(worst(frame, c.region, tensor), kToleranceCodes)
                    << describe(frame.format()) << " -> " << c.tensor_width << "x"
                    << c.tensor_height << ", sampling " << static_cast<int>(sampling);
            }
        }
    }
}

TEST_P(EveryFormat, FrameToTensor_is_exact_for_all_regions) {
    std::mt19937 random(kSeed + 1);
    for (int i = 0; i < 40; ++i) {
        const auto width = static_cast<std::uint32_t>(1 + (random() % 90));
        const auto height = static_cast<std::uint32_t>(1 + (random() % 60));
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        const SourceRegion region{.x = (unit(random) - 0.4) * width,
                                  .y = (unit(random) - 0.4) * height,
                                  .width = (0.05 + (1.5 * unit(random))) * width,
                                  .height = (0.05 + (1.5 * unit(random))) * height,
                                  .rotation_radians =
                                      i % 3 == 0 ? (unit(random) - 0.5) * 7.0 : 0.0};
        const auto pick = [&](auto first, auto second, auto third) {
            const auto n = random() % 3;
            return n == 0 ? first : n == 1 ? second : third;
        };
        const TensorFormat tensor{
            .width = static_cast<std::uint32_t>(1 + (random() % 40)),
            .height = static_cast<std::uint32_t>(1 + (random() % 40)),
            .channels = pick(ChannelOrder::Rgb, ChannelOrder::Bgr, ChannelOrder::Luma),
            .layout = random() % 2 == 0 ? TensorLayout::Nhwc : TensorLayout::Nchw,
            .low = random() % 2 == 0 ? 0.0F : 255.0F,
            .high = random() % 2 == 0 ? 1.0F : -3.0F,
            .sampling = pick(Sampling::Nearest, Sampling::Bilinear, Sampling::Area),
            .fill = 0.5F};
        const auto side = static_cast<ChromaSite>(random() % 3);
        TestFrame frame({GetParam(), width, height, {.chroma_site = side}}, (random() % 3) * 2);
        frame.fill_random(random);
        EXPECT_LT(worst(frame, region, tensor), kToleranceCodes)
            << describe(frame.format()) << " seed " << kSeed + 1 << " case " << i << " region "
            << region.x << "," << region.y << " " << region.width << "x" << region.height
            << " turned " << region.rotation_radians << " -> " << tensor.width << "x"
            << tensor.height << " sampling " << static_cast<int>(tensor.sampling);
    }
}

TEST_P(EveryFormat, FrameToTensor_is_exact_at_identity_and_on_wide_rows) {
    std::mt19937 random(kSeed + 2);
    int turn = 0;
    for (const std::uint32_t width : {1U, 2U, 3U, 17U, 256U, 257U, 531U}) {
        for (const std::uint32_t height : {1U, 2U, 5U}) {
            const auto site = static_cast<ChromaSite>(turn++ % 3);
            TestFrame frame({GetParam(), width, height, {.chroma_site = site}}, 0);
            frame.fill_random(random);
            for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear}) {
                const TensorFormat tensor{.width = width, .height = height, .sampling = sampling};
                EXPECT_LT(worst(frame, stretch(width, height), tensor), kToleranceCodes)
                    << describe(frame.format());
            }
        }
        // A strip of whole rows, as super-resolution reads them.
        TestFrame frame({GetParam(), width, 9, {}}, 6);
        frame.fill_random(random);
        EXPECT_LT(worst(frame, {.y = -2.0, .width = static_cast<double>(width), .height = 8.0},
                        {.width = width, .height = 8}),
                  kToleranceCodes)
            << describe(frame.format());
    }
}

TEST_P(EveryFormat, FrameToTensor_averages_rows_longer_than_its_scratch) {
    std::mt19937 random(kSeed + 3);
    TestFrame frame({GetParam(), 3001, 7, {}}, 2);
    frame.fill_random(random);
    for (const std::uint32_t outputs : {1U, 5U, 300U}) {
        const TensorFormat tensor{.width = outputs, .height = 2, .sampling = Sampling::Area};
        EXPECT_LT(worst(frame, stretch(3001, 7), tensor), kToleranceCodes)
            << describe(frame.format()) << " -> " << outputs;
        const TensorFormat few{.width = outputs, .height = 2, .sampling = Sampling::Bilinear};
        EXPECT_LT(worst(frame, stretch(3001, 7), few), kToleranceCodes)
            << describe(frame.format()) << " -> " << outputs;
    }
}

TEST(FrameToTensor, maps_tensor_corners_to_a_turned_region) {
    // A quarter turn clockwise: the tensor's left top corner lies at the region's right top.
    const auto converter = must(FrameToTensor::create(
        {PixelFormat::Gray8, 100, 100, {}},
        {.x = 10, .y = 20, .width = 40, .height = 40, .rotation_radians = std::acos(0.0)},
        {.width = 8, .height = 8}));
    const auto corner = converter.to_frame(0, 0);
    EXPECT_NEAR(corner.x, 50.0, 1e-9);
    EXPECT_NEAR(corner.y, 20.0, 1e-9);
    const auto centre = converter.to_frame(4, 4);
    EXPECT_NEAR(centre.x, 30.0, 1e-9);
    EXPECT_NEAR(centre.y, 40.0, 1e-9);
}

TEST(FrameToTensor, letterbox_keeps_aspect_and_centre) {
    const SourceRegion wide = letterbox(1280, 720, 128, 128);
    EXPECT_DOUBLE_EQ(wide.x, 0.0);
    EXPECT_DOUBLE_EQ(wide.y, -280.0);
    EXPECT_DOUBLE_EQ(wide.width, 1280.0);
    EXPECT_DOUBLE_EQ(wide.height, 1280.0);
    const SourceRegion tall = letterbox(300, 400, 256, 144);
    EXPECT_DOUBLE_EQ(tall.height, 400.0);
    EXPECT_DOUBLE_EQ(tall.width / tall.height, 256.0 / 144.0);
    EXPECT_DOUBLE_EQ(tall.x + (tall.width / 2), 150.0);
}

TEST(FrameToTensor, refuses_what_it_cannot_sample) {
    const FrameFormat frame{PixelFormat::Nv12, 64, 48, {}};
    const TensorFormat tensor{.width = 8, .height = 8};
    const double nan = std::nan("");
    const double inf = HUGE_VAL;
    for (const SourceRegion& region : std::vector<SourceRegion>{
             {.width = 0, .height = 4},
             {.width = 4, .height = -1},
             {.width = nan, .height = 4},
             {.x = inf, .width = 4, .height = 4},
             {.y = -1e12, .width = 4, .height = 4},
             {.width = 4, .height = 4, .rotation_radians = nan},
         }) {
        const auto result = FrameToTensor::create(frame, region, tensor);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    }
    EXPECT_FALSE(FrameToTensor::create(frame, stretch(64, 48), {.width = 0, .height = 8}));
    EXPECT_FALSE(FrameToTensor::create(frame, stretch(64, 48), {.width = 8, .height = 1U << 31U}));
    EXPECT_FALSE(FrameToTensor::create({PixelFormat::Nv12, 0, 48, {}}, stretch(64, 48), tensor));
    EXPECT_FALSE(FrameToTensor::create(frame, stretch(64, 48),
                                       {.width = 8, .height = 8, .high = HUGE_VALF}));
}

TEST(FrameToTensor, fills_where_the_region_lies_outside) {
    TestFrame frame({PixelFormat::I420, 16, 16, {}}, 0);
    frame.fill_gradient();
    const auto threads = runtime::ThreadPool::shared(1);
    for (const SourceRegion& region :
         {SourceRegion{.x = 100, .y = 0, .width = 8, .height = 8},
          SourceRegion{.x = -1e8, .y = -1e8, .width = 1e7, .height = 1e7},
          SourceRegion{.x = 40, .y = 40, .width = 8, .height = 8, .rotation_radians = 1.0}}) {
        for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::Area}) {
            const auto converter = must(FrameToTensor::create(
                frame.format(), region,
                {.width = 5, .height = 5, .sampling = sampling, .fill = -7.0F}));
            std::vector<float> out(75, 0.0F);
            converter.run(frame.view(), out, *threads);
            EXPECT_TRUE(std::ranges::all_of(out, [](float v) { return v == -7.0F; }));
        }
    }
}

} // namespace sluice::testing
