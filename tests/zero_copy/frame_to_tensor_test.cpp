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
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kSeed = 20260;
// The promise is one code; sampling errors of a fraction of a pixel are smaller on smooth content.
constexpr double kToleranceCodes = 0.02;

// A component at luma pixel coordinates (centre of the first pixel: 0), by definition.
double bilinear(const TestFrame& frame, int c, double x, double y) {
    if (frame.is_chroma(c)) {
        const SiteInPixels site = chroma_site_in_pixels(frame.format());
        x = (x - site.x) / (1 << chroma_shift_x(frame.format().pixel_format));
        y = (y - site.y) / (1 << chroma_shift_y(frame.format().pixel_format));
    }
    const int x0 = static_cast<int>(std::floor(x));
    const int y0 = static_cast<int>(std::floor(y));
    double sum = 0.0;
    for (int dy = 0; dy < 2; ++dy) {
        for (int dx = 0; dx < 2; ++dx) {
            const double weight =
                (dx == 1 ? x - x0 : 1.0 - (x - x0)) * (dy == 1 ? y - y0 : 1.0 - (y - y0));
            sum += weight * frame.code(c, std::clamp(x0 + dx, 0, frame.columns(c) - 1),
                                       std::clamp(y0 + dy, 0, frame.rows(c) - 1));
        }
    }
    return sum;
}

double nearest(const TestFrame& frame, int c, double x, double y) {
    const auto pixel = [](double at, std::uint32_t limit) {
        return std::clamp(static_cast<int>(std::floor(at)), 0, static_cast<int>(limit) - 1);
    };
    const PixelFormat format = frame.format().pixel_format;
    return frame.code(
        c, pixel(x, frame.format().width) >> (frame.is_chroma(c) ? chroma_shift_x(format) : 0),
        pixel(y, frame.format().height) >> (frame.is_chroma(c) ? chroma_shift_y(format) : 0));
}

// Shares of samples of one axis under [begin, end) of outer-corner luma coordinates; sample i's
// cell is `size` wide and centred on `centre + i * size`. Cells beyond the edge read as the edge.
std::vector<double> shares(double begin, double end, double centre, double size, int samples) {
    std::vector<double> out(static_cast<std::size_t>(samples));
    const int margin = 4;
    for (int i = -margin; i < samples + margin; ++i) {
        const double left = centre + (i * size) - (size / 2.0);
        const double covered = std::min(end, left + size) - std::max(begin, left);
        out[static_cast<std::size_t>(std::clamp(i, 0, samples - 1))] += std::max(covered, 0.0);
    }
    for (double& share : out) {
        share /= end - begin;
    }
    return out;
}

// One axis, as bilinear weights at an outer-corner coordinate.
std::vector<double> bilinear_shares(double at, double centre, double size, int samples) {
    std::vector<double> out(static_cast<std::size_t>(samples));
    const double position = std::clamp((at - centre) / size, 0.0, samples - 1.0);
    const int first = static_cast<int>(std::floor(position));
    out[static_cast<std::size_t>(first)] += 1.0 - (position - first);
    out[static_cast<std::size_t>(std::min(first + 1, samples - 1))] += position - first;
    return out;
}

// What one tensor pixel should hold, by the header's words.
class Reference {
public:
    Reference(const TestFrame& frame, const SourceRegion& region, const TensorFormat& tensor)
        : frame_(frame), region_(region), tensor_(tensor) {}

    std::array<double, 3> values(std::uint32_t x, std::uint32_t y) const {
        return region_.rotation_radians == 0.0 ? straight(x, y) : turned(x, y);
    }

private:
    double convert(const std::array<double, 3>& codes, int channel) const {
        const Rgb rgb = reference_rgb(frame_.format(), codes);
        double v = 0.0;
        const bool has_luma = !(frame_.has(1) && !frame_.is_chroma(1));
        switch (tensor_.channels) {
        case ChannelOrder::Rgb: v = channel == 0 ? rgb.r : channel == 1 ? rgb.g : rgb.b; break;
        case ChannelOrder::Bgr: v = channel == 0 ? rgb.b : channel == 1 ? rgb.g : rgb.r; break;
        case ChannelOrder::Luma:
            if (has_luma) {
                FrameFormat gray = frame_.format();
                const bool ten = gray.pixel_format == PixelFormat::P010;
                gray.pixel_format = ten ? PixelFormat::P010 : PixelFormat::Gray8;
                const double middle = ten ? 512.0 : 128.0;
                v = reference_rgb(gray, {codes[0], middle, middle}).g;
            } else {
                v = (0.299 * rgb.r) + (0.587 * rgb.g) + (0.114 * rgb.b);
            }
            break;
        }
        return tensor_.low + (std::clamp(v, 0.0, 1.0) * (tensor_.high - tensor_.low));
    }

    std::array<double, 3> mixed(const std::array<double, 3>& codes, double share) const {
        std::array<double, 3> out{};
        for (int channel = 0; channel < 3; ++channel) {
            out[static_cast<std::size_t>(channel)] =
                tensor_.fill + ((convert(codes, channel) - tensor_.fill) * share);
        }
        return out;
    }

    std::array<double, 3> straight(std::uint32_t x, std::uint32_t y) const {
        const double step_x = region_.width / tensor_.width;
        const double step_y = region_.height / tensor_.height;
        const double cx = region_.x + ((x + 0.5) * step_x);
        const double cy = region_.y + ((y + 0.5) * step_y);
        const double w = frame_.format().width;
        const double h = frame_.format().height;
        const bool area = tensor_.sampling == Sampling::Area;
        const bool mean_x = area && step_x > 1.0;
        const bool mean_y = area && step_y > 1.0;
        const double x0 = std::clamp(region_.x + (x * step_x), 0.0, w);
        const double x1 = std::clamp(region_.x + ((x + 1) * step_x), 0.0, w);
        const double y0 = std::clamp(region_.y + (y * step_y), 0.0, h);
        const double y1 = std::clamp(region_.y + ((y + 1) * step_y), 0.0, h);
        const double share_x = mean_x ? (x1 - x0) / step_x : (cx >= 0.0 && cx < w ? 1.0 : 0.0);
        const double share_y = mean_y ? (y1 - y0) / step_y : (cy >= 0.0 && cy < h ? 1.0 : 0.0);
        const double share = share_x * share_y;
        if (share == 0.0) {
            return mixed({}, 0.0);
        }
        std::array<double, 3> codes{};
        for (int c = 0; c < 3 && frame_.has(c); ++c) {
            auto& code = codes[static_cast<std::size_t>(c)];
            if (tensor_.sampling == Sampling::Nearest) {
                code = nearest(frame_, c, cx, cy);
            } else if (!mean_x && !mean_y) {
                code = bilinear(frame_, c, cx - 0.5, cy - 0.5);
            } else {
                code = mean(c, mean_x, mean_y, {x0, x1, cx}, {y0, y1, cy});
            }
        }
        return mixed(codes, share);
    }

    double mean(int c, bool mean_x, bool mean_y, const std::array<double, 3>& across,
                const std::array<double, 3>& down) const {
        const bool chroma = frame_.is_chroma(c);
        const PixelFormat format = frame_.format().pixel_format;
        const SiteInPixels site = chroma ? chroma_site_in_pixels(frame_.format()) : SiteInPixels{};
        const double size_x = chroma ? 1 << chroma_shift_x(format) : 1;
        const double size_y = chroma ? 1 << chroma_shift_y(format) : 1;
        const auto wx = mean_x
                            ? shares(across[0], across[1], site.x + 0.5, size_x, frame_.columns(c))
                            : bilinear_shares(across[2], site.x + 0.5, size_x, frame_.columns(c));
        const auto wy = mean_y ? shares(down[0], down[1], site.y + 0.5, size_y, frame_.rows(c))
                               : bilinear_shares(down[2], site.y + 0.5, size_y, frame_.rows(c));
        double sum = 0.0;
        for (int j = 0; j < frame_.rows(c); ++j) {
            if (wy[static_cast<std::size_t>(j)] == 0.0) {
                continue;
            }
            for (int i = 0; i < frame_.columns(c); ++i) {
                sum += wx[static_cast<std::size_t>(i)] * wy[static_cast<std::size_t>(j)] *
                       frame_.code(c, i, j);
            }
        }
        return sum;
    }

    // Turned: points of a regular grid inside the tensor pixel, one a source pixel when shrinking.
    std::array<double, 3> turned(std::uint32_t x, std::uint32_t y) const {
        const bool area = tensor_.sampling == Sampling::Area;
        const int nx = area ? static_cast<int>(std::ceil(region_.width / tensor_.width)) : 1;
        const int ny = area ? static_cast<int>(std::ceil(region_.height / tensor_.height)) : 1;
        std::array<double, 3> codes{};
        int inside = 0;
        for (int j = 0; j < ny; ++j) {
            for (int i = 0; i < nx; ++i) {
                const double u = ((x + ((i + 0.5) / nx)) / tensor_.width) - 0.5;
                const double v = ((y + ((j + 0.5) / ny)) / tensor_.height) - 0.5;
                const double dx = u * region_.width;
                const double dy = v * region_.height;
                const double angle = region_.rotation_radians;
                const double px = region_.x + (region_.width / 2) + (dx * std::cos(angle)) -
                                  (dy * std::sin(angle));
                const double py = region_.y + (region_.height / 2) + (dx * std::sin(angle)) +
                                  (dy * std::cos(angle));
                if (px < 0 || py < 0 || px >= frame_.format().width ||
                    py >= frame_.format().height) {
                    continue;
                }
                ++inside;
                for (int c = 0; c < 3 && frame_.has(c); ++c) {
                    codes[static_cast<std::size_t>(c)] +=
                        tensor_.sampling == Sampling::Nearest
                            ? nearest(frame_, c, px, py)
                            : bilinear(frame_, c, px - 0.5, py - 0.5);
                }
            }
        }
        if (inside == 0) {
            return mixed({}, 0.0);
        }
        for (double& code : codes) {
            code /= inside;
        }
        const double share = static_cast<double>(inside) / (nx * ny);
        return mixed(codes, share);
    }

    const TestFrame& frame_;
    SourceRegion region_;
    TensorFormat tensor_;
};

// Runs and compares every value; returns the largest difference in codes.
double worst(const TestFrame& frame, const SourceRegion& region, const TensorFormat& tensor) {
    const auto threads = runtime::ThreadPool::shared(2);
    const auto converter = must(FrameToTensor::create(frame.format(), region, tensor));
    const int channels = tensor.channels == ChannelOrder::Luma ? 1 : 3;
    const std::size_t plane = std::size_t{tensor.width} * tensor.height;
    std::vector<float> out(plane * static_cast<std::size_t>(channels), -1000.0F);
    converter.run(frame.view(), out, *threads);
    const Reference reference(frame, region, tensor);
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
