// SPDX-License-Identifier: Apache-2.0
// BackgroundBlend against loops in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/color.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kBlendSeed = 991;

struct MaskPicture {
    std::uint32_t width;
    std::uint32_t height;
    std::size_t stride;
    std::vector<std::uint8_t> bytes;

    MaskPicture(std::uint32_t w, std::uint32_t h, std::size_t padding)
        : width(w), height(h), stride(w + padding), bytes((stride * (h - 1)) + w) {}
    [[nodiscard]] BackgroundBlend::Mask view() const {
        return {bytes.data(), stride, width, height};
    }
    [[nodiscard]] double at(int x, int y) const {
        return bytes[(static_cast<std::size_t>(std::clamp(y, 0, static_cast<int>(height) - 1)) *
                      stride) +
                     static_cast<std::size_t>(std::clamp(x, 0, static_cast<int>(width) - 1))];
    }
};

// Noise, or patches of one byte, which is what masks mostly are: nobody, somebody, or between.
void fill(MaskPicture& mask, std::mt19937& random, bool patches) {
    std::ranges::generate(mask.bytes, [&] { return static_cast<std::uint8_t>(random()); });
    constexpr std::array<std::uint8_t, 4> kPatches{0, 255, 77, 255};
    for (std::size_t y = 0; patches && y < mask.height; ++y) {
        for (std::size_t x = 0; x < mask.width; ++x) {
            mask.bytes[(y * mask.stride) + x] =
                kPatches[((x * 8 / mask.width) + (y * 2 / mask.height)) / 2 % kPatches.size()];
        }
    }
}

// The mask at a component's sample, 0..1.
double mask_at(const MaskPicture& mask, const TestFrame& frame, int c, int x, int y) {
    const FrameFormat& format = frame.format();
    const bool chroma = frame.is_chroma(c);
    const SiteInPixels site = chroma ? chroma_site_in_pixels(format) : SiteInPixels{0, 0};
    const int sx = chroma ? 1 << chroma_shift_x(format.pixel_format) : 1;
    const int sy = chroma ? 1 << chroma_shift_y(format.pixel_format) : 1;
    const double u = (((x * sx) + site.x + 0.5) * mask.width / format.width) - 0.5;
    const double v = (((y * sy) + site.y + 0.5) * mask.height / format.height) - 0.5;
    const int i = static_cast<int>(std::floor(u));
    const int j = static_cast<int>(std::floor(v));
    const double fx = u - i;
    const double fy = v - j;
    const double top = ((1 - fx) * mask.at(i, j)) + (fx * mask.at(i + 1, j));
    const double bottom = ((1 - fx) * mask.at(i, j + 1)) + (fx * mask.at(i + 1, j + 1));
    return (((1 - fy) * top) + (fy * bottom)) / 255.0;
}

// blur(component * (1 - mask)) / blur(1 - mask) with a Gaussian of `sigma` luma pixels.
std::vector<double> blurred(const TestFrame& frame, const MaskPicture& mask, int c, double sigma) {
    const int w = frame.columns(c);
    const int h = frame.rows(c);
    const bool chroma = frame.is_chroma(c);
    const PixelFormat format = frame.format().pixel_format;
    const double sigma_x = sigma / (chroma ? 1 << chroma_shift_x(format) : 1);
    const double sigma_y = sigma / (chroma ? 1 << chroma_shift_y(format) : 1);
    const auto count = static_cast<std::size_t>(w) * static_cast<std::size_t>(h);
    std::vector<double> value(count);
    std::vector<double> weight(count);
    const auto index = [&](int x, int y) {
        return (static_cast<std::size_t>(y) * static_cast<std::size_t>(w)) +
               static_cast<std::size_t>(x);
    };
    for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
            weight[index(x, y)] = 1.0 - mask_at(mask, frame, c, x, y);
            value[index(x, y)] = weight[index(x, y)] * frame.code(c, x, y);
        }
    }
    const auto pass = [&](std::vector<double>& plane, double spread, bool across) {
        const int radius = static_cast<int>(std::ceil(4 * spread));
        std::vector<double> out(count);
        for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
                double sum = 0.0;
                for (int k = -radius; k <= radius; ++k) {
                    const int i = across ? x + k : x;
                    const int j = across ? y : y + k;
                    if (i >= 0 && j >= 0 && i < w && j < h) {
                        sum += std::exp(-0.5 * k * k / (spread * spread)) * plane[index(i, j)];
                    }
                }
                out[index(x, y)] = sum;
            }
        }
        plane = out;
    };
    for (std::vector<double>* plane : {&value, &weight}) {
        pass(*plane, sigma_x, true);
        pass(*plane, sigma_y, false);
    }
    for (std::size_t i = 0; i < count; ++i) {
        value[i] /= weight[i];
    }
    return value;
}

class Blending : public ::testing::TestWithParam<PixelFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, Blending, ::testing::ValuesIn(all_formats()),
                         [](const auto& test) {
                             return std::string(zero_copy::info(test.param).gst_name);
                         });

} // namespace

TEST_P(Blending, color_picture_and_key_are_right_for_every_mask_size) {
    std::mt19937 random(kBlendSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const std::uint32_t width : {1U, 2U, 5U, 64U, 257U, 300U, 1030U}) {
        for (const std::uint32_t mask_width : {1U, 2U, 31U, width, 2U * width, 1500U}) {
            const auto height = static_cast<std::uint32_t>(1 + (random() % 12));
            const auto mask_height = static_cast<std::uint32_t>(1 + (random() % 20));
            const Colorimetry color{.matrix = static_cast<ColorMatrix>(random() % 3),
                                    .range = static_cast<ColorRange>(random() % 2),
                                    .chroma_site = static_cast<ChromaSite>(random() % 3)};
            const FrameFormat format{GetParam(), width, height, color};
            MaskPicture mask(mask_width, mask_height, random() % 3);
            fill(mask, random, mask_width % 2 == 0);
            TestFrame picture(format, 2);
            picture.fill_random(random);
            const FrameView picture_view = std::as_const(picture).view();
            for (const BackgroundEffect effect :
                 {BackgroundEffect::Color, BackgroundEffect::Picture, BackgroundEffect::Key}) {
                TestFrame frame(format, 4);
                frame.fill_random(random);
                const TestFrame before = frame;
                BackgroundSettings settings{.effect = effect, .picture = &picture_view};
                settings.color = {90, 120, 140};
                const std::array<float, 4> codes =
                    color_codes(format, {90 / 255.0, 120 / 255.0, 140 / 255.0});
                auto made = BackgroundBlend::create(format, settings);
                if (effect == BackgroundEffect::Key && !frame.has(3)) {
                    ASSERT_FALSE(made);
                    EXPECT_EQ(made.error().code, ErrorCode::Unsupported);
                    continue;
                }
                BackgroundBlend blend = must(std::move(made));
                blend.run(frame.view(), mask.view(), *threads);
                for (int c = 0; c < 4 && frame.has(c); ++c) {
                    for (int y = 0; y < frame.rows(c); ++y) {
                        for (int x = 0; x < frame.columns(c); ++x) {
                            const double m = mask_at(mask, frame, c, x, y);
                            double want = before.code(c, x, y);
                            if (effect == BackgroundEffect::Key) {
                                want = c == 3 ? m * 255.0 : want;
                            } else if (effect == BackgroundEffect::Picture && c < 3) {
                                const double back = picture.code(c, x, y);
                                want = back + (m * (want - back));
                            } else if (effect == BackgroundEffect::Color && c < 3) {
                                // Rounded codes of the colour; the next test judges them.
                                const double back = codes.at(static_cast<std::size_t>(c));
                                want = back + (m * (want - back));
                            }
                            ASSERT_NEAR(frame.code(c, x, y), want, 0.51)
                                << describe(format) << " mask " << mask_width << "x" << mask_height
                                << " effect " << static_cast<int>(effect) << " component " << c
                                << " at " << x << "," << y;
                        }
                    }
                }
            }
        }
    }
}

TEST_P(Blending, into_another_frame_gives_the_pixels_of_in_place_and_leaves_the_source) {
    std::mt19937 random(kBlendSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const std::uint32_t width : {1U, 3U, 300U, 1030U}) {
        const FrameFormat format{GetParam(), width, 11, {}};
        MaskPicture mask(width > 1 ? width / 2 : 7, 5, 0);
        fill(mask, random, width == 1030U);
        TestFrame picture(format, 0);
        picture.fill_random(random);
        const FrameView picture_view = std::as_const(picture).view();
        for (const BackgroundEffect effect : {BackgroundEffect::Blur, BackgroundEffect::Color,
                                              BackgroundEffect::Picture, BackgroundEffect::Key}) {
            TestFrame source(format, 4);
            source.fill_random(random);
            if (effect == BackgroundEffect::Key && !source.has(3)) {
                continue;
            }
            TestFrame in_place = source;
            const TestFrame before = source;
            TestFrame out(format, 20); // other strides, other bytes
            out.fill_random(random);
            BackgroundBlend blend = must(BackgroundBlend::create(
                format, {.effect = effect, .blur_sigma = 0.2, .picture = &picture_view}));
            blend.run(in_place.view(), mask.view(), *threads);
            blend.run(std::as_const(source).view(), mask.view(), out.view(), *threads);
            for (int c = 0; c < 4 && source.has(c); ++c) {
                for (int y = 0; y < source.rows(c); ++y) {
                    for (int x = 0; x < source.columns(c); ++x) {
                        ASSERT_EQ(out.code(c, x, y), in_place.code(c, x, y))
                            << describe(format) << " effect " << static_cast<int>(effect)
                            << " component " << c << " at " << x << "," << y;
                        ASSERT_EQ(source.code(c, x, y), before.code(c, x, y));
                    }
                }
            }
        }
    }
}

TEST_P(Blending, color_gives_that_colour_where_nobody_is) {
    const auto threads = runtime::ThreadPool::shared(1);
    for (int i = 0; i < 6; ++i) {
        const Colorimetry color{.matrix = static_cast<ColorMatrix>(i / 2),
                                .range = static_cast<ColorRange>(i % 2)};
        TestFrame frame({GetParam(), 33, 9, color}, 0);
        frame.fill_gradient();
        const TestFrame before = frame;
        MaskPicture mask(33, 9, 0);
        // The right third is a person; a column between them is half of each.
        for (std::size_t at = 0; at < mask.bytes.size(); ++at) {
            mask.bytes[at] = at % 33 < 22 ? 0 : 255;
        }
        const Color wanted{40, 200, 90};
        auto blend = must(BackgroundBlend::create(
            frame.format(), {.effect = BackgroundEffect::Color, .color = wanted}));
        blend.run(frame.view(), mask.view(), *threads);
        const auto code = [&](int c, int x) {
            return frame.has(c) ? frame.code(c, frame.is_chroma(c) ? x / 2 : x, 0) : 0;
        };
        const Rgb rgb = reference_rgb(frame.format(), {static_cast<double>(code(0, 8)),
                                                       static_cast<double>(code(1, 8)),
                                                       static_cast<double>(code(2, 8))});
        // Rounding of three codes: up to two 8-bit codes of R'G'B' with these matrices.
        if (GetParam() == PixelFormat::Gray8) {
            EXPECT_NEAR(rgb.g * 255.0, (0.299 * 40) + (0.587 * 200) + (0.114 * 90), 0.6);
        } else {
            EXPECT_NEAR(rgb.r * 255.0, 40.0, 2.0) << describe(frame.format());
            EXPECT_NEAR(rgb.g * 255.0, 200.0, 2.0) << describe(frame.format());
            EXPECT_NEAR(rgb.b * 255.0, 90.0, 2.0) << describe(frame.format());
        }
        EXPECT_EQ(frame.code(0, 30, 4), before.code(0, 30, 4));
    }
}

TEST_P(Blending, blur_is_a_gaussian_of_the_background_alone) {
    std::mt19937 random(kBlendSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const double sigma : {1.5, 4.0, 9.0, 20.0}) {
        const FrameFormat format{GetParam(), 201, 121, {}};
        TestFrame frame(format, 4);
        frame.fill_gradient();
        // Texture on top of the ramps.
        for (int c = 0; c < 3 && frame.has(c); ++c) {
            for (int y = 0; y < frame.rows(c); ++y) {
                for (int x = 0; x < frame.columns(c); ++x) {
                    const int noise = static_cast<int>(random() % 121) - 60;
                    const int scale = frame.max_code() / 255;
                    frame.set_code(
                        c, x, y,
                        std::clamp(frame.code(c, x, y) + (noise * scale), 0, frame.max_code()));
                }
            }
        }
        const TestFrame before = frame;
        MaskPicture mask(201, 121, 1);
        for (std::uint32_t y = 0; y < 121; ++y) {
            for (std::uint32_t x = 0; x < 201; ++x) {
                const double d = std::hypot(x - 100.0, (y - 80.0) * 0.8);
                mask.bytes[(y * mask.stride) + x] =
                    static_cast<std::uint8_t>(std::clamp((45.0 - d) * 40.0, 0.0, 255.0));
            }
        }
        auto blend = must(BackgroundBlend::create(format, {.blur_sigma = sigma / 121.0}));
        blend.run(frame.view(), mask.view(), *threads);
        for (int c = 0; c < 4 && frame.has(c); ++c) {
            if (c == 3) {
                EXPECT_EQ(frame.code(c, 3, 3), before.code(c, 3, 3)) << "alpha";
                continue;
            }
            const std::vector<double> back = blurred(before, mask, c, sigma);
            double worst = 0.0;
            double squares = 0.0;
            for (int y = 0; y < frame.rows(c); ++y) {
                for (int x = 0; x < frame.columns(c); ++x) {
                    const double m = mask_at(mask, before, c, x, y);
                    const double fore = before.code(c, x, y);
                    const double b = back[(static_cast<std::size_t>(y) *
                                           static_cast<std::size_t>(frame.columns(c))) +
                                          static_cast<std::size_t>(x)];
                    const double want = m == 1.0 ? fore : b + (m * (fore - b));
                    const double off =
                        std::abs(frame.code(c, x, y) - want) * 255.0 / frame.max_code();
                    worst = std::max(worst, off);
                    squares += off * off;
                }
            }
            const double rms =
                std::sqrt(squares / (static_cast<double>(frame.rows(c)) * frame.columns(c)));
            // The noise alone has a deviation of 35 codes. Cells and interpolation stand in for the
            // Gaussian's shape; with a sigma of under two cells they are a coarser one.
            EXPECT_LT(worst, sigma < 3.0 ? 16.0 : 6.0)
                << describe(format) << " sigma " << sigma << " component " << c;
            EXPECT_LT(rms, sigma < 3.0 ? 3.5 : 1.2)
                << describe(format) << " sigma " << sigma << " component " << c;
        }
    }
}

TEST_P(Blending, blur_lets_nobody_bleed_into_a_plain_background) {
    const auto threads = runtime::ThreadPool::shared(1);
    TestFrame frame({GetParam(), 160, 90, {}}, 0);
    MaskPicture mask(160, 90, 0);
    const int top = frame.max_code();
    for (int c = 0; c < 3 && frame.has(c); ++c) {
        const int scale_x = frame.is_chroma(c) ? 1 << chroma_shift_x(GetParam()) : 1;
        for (int y = 0; y < frame.rows(c); ++y) {
            for (int x = 0; x < frame.columns(c); ++x) {
                frame.set_code(c, x, y, x * scale_x >= 80 ? top : top / 4);
            }
        }
    }
    for (std::size_t i = 0; i < mask.bytes.size(); ++i) {
        mask.bytes[i] = i % 160 >= 76 ? 255 : 0;
    }
    auto blend = must(BackgroundBlend::create(frame.format(), {.blur_sigma = 0.1}));
    blend.run(frame.view(), mask.view(), *threads);
    for (int c = 0; c < 3 && frame.has(c); ++c) {
        const int scale_x = frame.is_chroma(c) ? 1 << chroma_shift_x(GetParam()) : 1;
        for (int x = 0; x * scale_x < 74; ++x) {
            EXPECT_NEAR(frame.code(c, x, 20), top / 4, 1.0 + (top > 255 ? 3 : 0))
                << describe(frame.format()) << " component " << c << " column " << x;
        }
    }
}

TEST(BackgroundBlend, refuses_settings_that_make_no_sense) {
    const FrameFormat format{PixelFormat::Nv12, 16, 16, {}};
    const auto refused = [&](const BackgroundSettings& settings) {
        const auto made = BackgroundBlend::create(format, settings);
        return !made && made.error().code == ErrorCode::InvalidArgument;
    };
    EXPECT_TRUE(refused({.blur_sigma = 0.0}));
    EXPECT_TRUE(refused({.blur_sigma = -1.0}));
    EXPECT_TRUE(refused({.blur_sigma = std::nan("")}));
    EXPECT_TRUE(refused({.effect = BackgroundEffect::Picture}));
    const TestFrame other({PixelFormat::Nv12, 16, 18, {}}, 0);
    const FrameView view = other.view();
    EXPECT_TRUE(refused({.effect = BackgroundEffect::Picture, .picture = &view}));
}

TEST(BackgroundBlend, works_on_the_smallest_frames) {
    std::mt19937 random(kBlendSeed);
    const auto threads = runtime::ThreadPool::shared(1);
    for (const PixelFormat format : all_formats()) {
        for (const std::uint32_t width : {1U, 2U, 3U}) {
            for (const std::uint32_t height : {1U, 2U, 3U}) {
                TestFrame frame({format, width, height, {}}, 0);
                frame.fill_random(random);
                MaskPicture mask(1, 1, 0);
                mask.bytes[0] = 255;
                const TestFrame before = frame;
                auto blend = must(BackgroundBlend::create(frame.format(), {.blur_sigma = 0.5}));
                blend.run(frame.view(), mask.view(), *threads);
                for (int c = 0; c < 3 && frame.has(c); ++c) {
                    EXPECT_EQ(frame.code(c, 0, 0), before.code(c, 0, 0))
                        << describe(frame.format());
                }
            }
        }
    }
}

} // namespace sluice::testing
