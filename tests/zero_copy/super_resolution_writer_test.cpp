// SPDX-License-Identifier: Apache-2.0
// SuperResolutionWriter against loops in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kWriterSeed = 4242;

// A plane read half-way: bilinear at sample coordinates, edges repeated.
double bilinear(const TestFrame& frame, int c, double x, double y) {
    const int x0 = static_cast<int>(std::floor(x));
    const int y0 = static_cast<int>(std::floor(y));
    const auto code = [&](int i, int j) {
        return frame.code(c, std::clamp(i, 0, frame.columns(c) - 1),
                          std::clamp(j, 0, frame.rows(c) - 1));
    };
    const double fx = x - x0;
    const double fy = y - y0;
    return ((1 - fy) * (((1 - fx) * code(x0, y0)) + (fx * code(x0 + 1, y0)))) +
           (fy * (((1 - fx) * code(x0, y0 + 1)) + (fx * code(x0 + 1, y0 + 1))));
}

// Change of each component's code for a change of R'G'B': differences of the reference's inverse,
// found by solving it for three independent code changes (Cramer's rule).
std::array<double, 3> codes_for_rgb(const FrameFormat& format, const Rgb& delta) {
    const auto column = [&](std::size_t i) {
        std::array<double, 3> unit{};
        unit[i] = 1.0;
        const Rgb a = reference_rgb(format, unit);
        const Rgb b = reference_rgb(format, {0.0, 0.0, 0.0});
        return std::array<double, 3>{a.r - b.r, a.g - b.g, a.b - b.b};
    };
    if (format.pixel_format == PixelFormat::Gray8) {
        const double luma = (0.299 * delta.r) + (0.587 * delta.g) + (0.114 * delta.b);
        return {luma / column(0)[0], 0.0, 0.0};
    }
    const auto m0 = column(0);
    const auto m1 = column(1);
    const auto m2 = column(2);
    const auto det = [](const auto& a, const auto& b, const auto& c) {
        return (a[0] * ((b[1] * c[2]) - (b[2] * c[1]))) - (b[0] * ((a[1] * c[2]) - (a[2] * c[1]))) +
               (c[0] * ((a[1] * b[2]) - (a[2] * b[1])));
    };
    const std::array<double, 3> d{delta.r, delta.g, delta.b};
    const double whole = det(m0, m1, m2);
    return {det(d, m1, m2) / whole, det(m0, d, m2) / whole, det(m0, m1, d) / whole};
}

class Reference {
public:
    Reference(const TestFrame& input, const TestFrame& output, const std::vector<float>& residual,
              int channels)
        : input_(input), output_(output), residual_(residual), channels_(channels) {}

    [[nodiscard]] double value(int c, int x, int y) const {
        return std::clamp(upscaled(c, x, y) + added(c, x, y), 0.0,
                          static_cast<double>(input_.max_code()));
    }

private:
    [[nodiscard]] double upscaled(int c, int x, int y) const {
        const FrameFormat& format = input_.format();
        const bool chroma = input_.is_chroma(c);
        const SiteInPixels site = chroma ? chroma_site_in_pixels(format) : SiteInPixels{0, 0};
        const int sx = chroma ? 1 << chroma_shift_x(format.pixel_format) : 1;
        const int sy = chroma ? 1 << chroma_shift_y(format.pixel_format) : 1;
        // Sample -> output luma pixel -> input luma pixel -> input sample.
        const double px = (((x * sx) + site.x + 0.5) / 2.0) - 0.5;
        const double py = (((y * sy) + site.y + 0.5) / 2.0) - 0.5;
        return bilinear(input_, c, (px - site.x) / sx, (py - site.y) / sy);
    }

    [[nodiscard]] std::array<double, 3> rgb(int x, int y) const {
        const int w = static_cast<int>(output_.format().width);
        const auto at = ((static_cast<std::size_t>(y) * static_cast<std::size_t>(w)) +
                         static_cast<std::size_t>(std::clamp(x, 0, w - 1))) *
                        static_cast<std::size_t>(channels_);
        if (channels_ == 1) {
            return {residual_[at], residual_[at], residual_[at]};
        }
        return {residual_[at], residual_[at + 1], residual_[at + 2]};
    }

    [[nodiscard]] double added(int c, int x, int y) const {
        if (c == 3) {
            return 0.0;
        }
        const FrameFormat& format = output_.format();
        std::array<double, 3> mean = rgb(x, y);
        if (output_.is_chroma(c)) {
            // At the chroma's site across, over the block's rows down.
            const bool centred = format.color.chroma_site == ChromaSite::Center;
            const std::array<double, 3> across =
                centred ? std::array{0.0, 0.5, 0.5} : std::array{0.25, 0.5, 0.25};
            const int rows = 1 << chroma_shift_y(format.pixel_format);
            mean = {};
            for (int j = 0; j < rows; ++j) {
                for (int i = 0; i < 3; ++i) {
                    const auto one = rgb((2 * x) + i - 1, (rows * y) + j);
                    for (std::size_t k = 0; k < 3; ++k) {
                        mean[k] += across[static_cast<std::size_t>(i)] * one[k] / rows;
                    }
                }
            }
        }
        return codes_for_rgb(format, {mean[0], mean[1], mean[2]})[static_cast<std::size_t>(c)];
    }

    const TestFrame& input_;
    const TestFrame& output_;
    const std::vector<float>& residual_;
    int channels_;
};

class Upscaling : public ::testing::TestWithParam<PixelFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, Upscaling, ::testing::ValuesIn(all_formats()),
                         [](const auto& test) {
                             return std::string(zero_copy::info(test.param).gst_name);
                         });

} // namespace

TEST_P(Upscaling, is_right_for_every_colorimetry_size_and_strip) {
    std::mt19937 random(kWriterSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    std::uniform_real_distribution<float> delta(-0.3F, 0.3F);
    for (const std::uint32_t width : {1U, 2U, 5U, 16U, 255U, 256U, 257U, 519U}) {
        for (const std::uint32_t channels : {1U, 3U}) {
            for (int site = 0; site < 3; ++site) {
                const Colorimetry color{.matrix = static_cast<ColorMatrix>(random() % 3),
                                        .range = static_cast<ColorRange>(random() % 2),
                                        .chroma_site = static_cast<ChromaSite>(site)};
                const auto height = static_cast<std::uint32_t>(1 + (random() % 9));
                TestFrame input({GetParam(), width, height, color}, (random() % 3) * 2);
                TestFrame output({GetParam(), 2 * width, 2 * height, color}, (random() % 3) * 2);
                input.fill_random(random);
                std::vector<float> residual(std::size_t{4} * width * height * channels);
                std::ranges::generate(residual, [&] { return delta(random); });
                auto writer =
                    must(SuperResolutionWriter::create(input.format(), output.format(), channels));
                // Strips of 2, 4, 6 rows.
                std::uint32_t row = 0;
                while (row < 2 * height) {
                    const std::uint32_t rows = std::min<std::uint32_t>(
                        2 * (1 + static_cast<std::uint32_t>(random() % 3)), (2 * height) - row);
                    const std::size_t pitch = std::size_t{2} * width * channels;
                    // Exactly the strip's values, so that a sanitizer sees any beyond.
                    const std::vector<float> strip(
                        residual.begin() + static_cast<std::ptrdiff_t>(row * pitch),
                        residual.begin() + static_cast<std::ptrdiff_t>((row + rows) * pitch));
                    writer.run(input.view(), strip, row, rows, output.view(), *threads);
                    row += rows;
                }
                const Reference reference(input, output, residual, static_cast<int>(channels));
                for (int c = 0; c < 4 && output.has(c); ++c) {
                    for (int y = 0; y < output.rows(c); ++y) {
                        for (int x = 0; x < output.columns(c); ++x) {
                            ASSERT_NEAR(output.code(c, x, y), reference.value(c, x, y), 0.51)
                                << describe(output.format()) << " seed " << kWriterSeed
                                << " channels " << channels << " component " << c << " at " << x
                                << "," << y;
                        }
                    }
                }
            }
        }
    }
}

TEST(SuperResolutionWriter, touches_no_row_outside_its_strip) {
    std::mt19937 random(kWriterSeed);
    const auto threads = runtime::ThreadPool::shared(1);
    for (const PixelFormat format : all_formats()) {
        TestFrame input({format, 20, 10, {}}, 0);
        TestFrame output({format, 40, 20, {}}, 4);
        input.fill_random(random);
        output.fill_random(random);
        const TestFrame before = output;
        auto writer = must(SuperResolutionWriter::create(input.format(), output.format(), 1));
        writer.run(input.view(), std::vector<float>(40 * 6), 8, 6, output.view(), *threads);
        for (int c = 0; c < 4 && output.has(c); ++c) {
            const int shift = output.rows(c) == 10 ? 1 : 0;
            for (int y = 0; y < output.rows(c); ++y) {
                for (int x = 0; x < output.columns(c); ++x) {
                    const int luma_row = y << shift;
                    if (luma_row < 8 || luma_row >= 14) {
                        ASSERT_EQ(output.code(c, x, y), before.code(c, x, y))
                            << describe(output.format());
                    }
                }
            }
        }
        for (std::size_t plane = 0; plane < output.planes.size(); ++plane) {
            const std::size_t row = output.strides[plane] - 4;
            for (std::size_t at = row; at + 4 < output.planes[plane].size();
                 at += output.strides[plane]) {
                for (std::size_t i = 0; i < 4; ++i) {
                    ASSERT_EQ(output.planes[plane][at + i], before.planes[plane][at + i])
                        << "padding of " << describe(output.format());
                }
            }
        }
    }
}

TEST(SuperResolutionWriter, saturates_and_ignores_what_is_not_a_number) {
    TestFrame input({PixelFormat::Gray8, 4, 2, {}}, 0);
    TestFrame output({PixelFormat::Gray8, 8, 4, {}}, 0);
    input.fill_gradient();
    const auto threads = runtime::ThreadPool::shared(1);
    auto writer = must(SuperResolutionWriter::create(input.format(), output.format(), 1));
    std::vector<float> residual(32, std::numeric_limits<float>::infinity());
    residual[1] = -std::numeric_limits<float>::infinity();
    residual[2] = std::numeric_limits<float>::quiet_NaN();
    writer.run(input.view(), residual, 0, 4, output.view(), *threads);
    EXPECT_EQ(output.code(0, 0, 0), 255);
    EXPECT_EQ(output.code(0, 1, 0), 0);
    EXPECT_EQ(output.code(0, 2, 0), 0);
}

TEST(SuperResolutionWriter, refuses_pairs_that_do_not_fit) {
    const FrameFormat small{PixelFormat::Nv12, 8, 6, {}};
    const FrameFormat large{PixelFormat::Nv12, 16, 12, {}};
    EXPECT_TRUE(SuperResolutionWriter::create(small, large, 1));
    EXPECT_FALSE(SuperResolutionWriter::create(small, large, 2));
    EXPECT_FALSE(SuperResolutionWriter::create(small, {PixelFormat::Nv12, 17, 12, {}}, 1));
    EXPECT_FALSE(SuperResolutionWriter::create(small, {PixelFormat::Nv21, 16, 12, {}}, 1));
    EXPECT_FALSE(SuperResolutionWriter::create(
        small, {PixelFormat::Nv12, 16, 12, {.range = ColorRange::Full}}, 1));
}

} // namespace sluice::testing
