// SPDX-License-Identifier: Apache-2.0
// Redactor: what is inside a box against loops in double precision, what is outside against the
// frame before.
#include <algorithm>
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
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kRedactorSeed = 31337;

// A box in a component's samples: grown to whole chroma samples, clipped to the frame.
struct Box {
    int left, top, right, bottom;
    [[nodiscard]] bool holds(int x, int y) const {
        return x >= left && x < right && y >= top && y < bottom;
    }
};
Box samples_of(const TestFrame& frame, int c, const PixelBox& box) {
    const PixelFormat format = frame.format().pixel_format;
    const int ux = 1 << chroma_shift_x(format);
    const int uy = 1 << chroma_shift_y(format);
    const auto low = [](double at, int unit, std::uint32_t limit) {
        return std::clamp(static_cast<int>(std::floor(at / unit)) * unit, 0,
                          static_cast<int>(limit));
    };
    const auto high = [](double at, int unit, std::uint32_t limit) {
        return std::clamp(static_cast<int>(std::ceil(at / unit)) * unit, 0,
                          static_cast<int>(limit));
    };
    const std::uint32_t w = frame.format().width;
    const std::uint32_t h = frame.format().height;
    Box out{low(box.x, ux, w), low(box.y, uy, h), high(box.x + box.width, ux, w),
            high(box.y + box.height, uy, h)};
    if (frame.is_chroma(c)) {
        out = {out.left / ux, out.top / uy, (out.right + ux - 1) / ux, (out.bottom + uy - 1) / uy};
    }
    return out;
}

void expect_same_outside(const TestFrame& frame, const TestFrame& before, const PixelBox& box) {
    for (int c = 0; c < 4 && frame.has(c); ++c) {
        const Box inside = samples_of(frame, c, box);
        for (int y = 0; y < frame.rows(c); ++y) {
            for (int x = 0; x < frame.columns(c); ++x) {
                if (!inside.holds(x, y)) {
                    ASSERT_EQ(frame.code(c, x, y), before.code(c, x, y))
                        << describe(frame.format()) << " component " << c << " at " << x << ","
                        << y;
                }
            }
        }
    }
}

const std::vector<PixelBox>& boxes() {
    static const std::vector<PixelBox> all{
        {.x = 10.0, .y = 6.0, .width = 32.0, .height = 40.0},
        {.x = 11.3, .y = 7.9, .width = 50.1, .height = 21.7},
        {.x = -20.5, .y = -9.0, .width = 60.0, .height = 70.0},
        {.x = 70.0, .y = 50.0, .width = 500.0, .height = 500.0},
        {.x = 33.0, .y = 5.0, .width = 3.0, .height = 60.0},
        {.x = 5.2, .y = 5.2, .width = 0.4, .height = 0.4},
        {.x = -1e9, .y = -1e9, .width = 2e9, .height = 2e9},
    };
    return all;
}

class Redaction : public ::testing::TestWithParam<PixelFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, Redaction, ::testing::ValuesIn(all_formats()),
                         [](const auto& test) {
                             return std::string(zero_copy::info(test.param).gst_name);
                         });

} // namespace

TEST_P(Redaction, black_is_black_in_every_range) {
    std::mt19937 random(kRedactorSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const ColorRange range : {ColorRange::Limited, ColorRange::Full}) {
        for (const PixelBox& box : boxes()) {
            TestFrame frame({GetParam(), 101, 67, {.range = range}}, 4);
            frame.fill_random(random);
            const TestFrame before = frame;
            auto redactor = must(Redactor::create(frame.format(), RedactEffect::Black));
            redactor.run(frame.view(), std::vector{box}, *threads);
            expect_same_outside(frame, before, box);
            for (int c = 0; c < 4 && frame.has(c); ++c) {
                const Box inside = samples_of(frame, c, box);
                const bool rgb = frame.has(1) && !frame.is_chroma(1);
                const bool ten = GetParam() == PixelFormat::P010;
                int want = range == ColorRange::Full || rgb ? 0 : ten ? 64 : 16;
                want = frame.is_chroma(c) ? (ten ? 512 : 128) : want;
                want = c == 3 ? 255 : want;
                for (int y = inside.top; y < inside.bottom; ++y) {
                    for (int x = inside.left; x < inside.right; ++x) {
                        ASSERT_EQ(frame.code(c, x, y), want) << describe(frame.format());
                    }
                }
            }
        }
        TestFrame frame({GetParam(), 9, 5, {.range = range}}, 0);
        frame.fill_random(random);
        Redactor::black_out(frame.view());
        for (int c = 0; c < 3 && frame.has(c); ++c) {
            for (int y = 0; y < frame.rows(c); ++y) {
                for (int x = 0; x < frame.columns(c); ++x) {
                    ASSERT_EQ(frame.code(c, x, y), frame.code(c, 0, 0));
                }
            }
        }
        const Rgb black = reference_rgb(
            frame.format(), {static_cast<double>(frame.code(0, 0, 0)),
                             frame.has(1) ? static_cast<double>(frame.code(1, 0, 0)) : 0.0,
                             frame.has(2) ? static_cast<double>(frame.code(2, 0, 0)) : 0.0});
        EXPECT_NEAR(black.r, 0.0, 1e-9);
        EXPECT_NEAR(black.g, 0.0, 1e-9);
        EXPECT_NEAR(black.b, 0.0, 1e-9);
    }
}

TEST_P(Redaction, mosaics_are_means_and_few_enough) {
    std::mt19937 random(kRedactorSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const int blocks : {1, 5, 8}) {
        for (const PixelBox& box : boxes()) {
            TestFrame frame({GetParam(), 101, 67, {}}, 2);
            frame.fill_random(random);
            const TestFrame before = frame;
            auto redactor = must(Redactor::create(frame.format(), RedactEffect::Pixelate,
                                                  static_cast<std::uint32_t>(blocks)));
            redactor.run(frame.view(), std::vector{box}, *threads);
            expect_same_outside(frame, before, box);
            // Cells start at the box; their side is the same in every component.
            const Box pixels = samples_of(frame, 0, box);
            const int unit = 1 << std::max(chroma_shift_x(GetParam()), chroma_shift_y(GetParam()));
            const int span = pixels.right - pixels.left;
            const double full = std::max<double>(span, std::min(box.width, 101.0));
            int side = static_cast<int>(std::ceil(full / blocks));
            side = (side + unit - 1) / unit * unit;
            ASSERT_LE((span + side - 1) / side, blocks);
            for (int c = 0; c < 3 && frame.has(c); ++c) {
                const Box all = samples_of(frame, c, box);
                const int sx = frame.is_chroma(c) ? side >> chroma_shift_x(GetParam()) : side;
                const int sy = frame.is_chroma(c) ? side >> chroma_shift_y(GetParam()) : side;
                for (int top = all.top; top < all.bottom; top += sy) {
                    for (int left = all.left; left < all.right; left += sx) {
                        double sum = 0.0;
                        int count = 0;
                        for (int y = top; y < std::min(top + sy, all.bottom); ++y) {
                            for (int x = left; x < std::min(left + sx, all.right); ++x) {
                                sum += before.code(c, x, y);
                                ++count;
                            }
                        }
                        for (int y = top; y < std::min(top + sy, all.bottom); ++y) {
                            for (int x = left; x < std::min(left + sx, all.right); ++x) {
                                ASSERT_NEAR(frame.code(c, x, y), sum / count, 0.51)
                                    << describe(frame.format()) << " blocks " << blocks << " box "
                                    << box.x << "," << box.y;
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST_P(Redaction, blur_is_a_gaussian_of_what_is_inside) {
    std::mt19937 random(kRedactorSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    for (const PixelBox& box : boxes()) {
        TestFrame frame({GetParam(), 101, 67, {}}, 2);
        frame.fill_random(random);
        // A bright surround that must not enter, with noise inside.
        for (int c = 0; c < 3 && frame.has(c); ++c) {
            const Box inside = samples_of(frame, c, box);
            for (int y = 0; y < frame.rows(c); ++y) {
                for (int x = 0; x < frame.columns(c); ++x) {
                    frame.set_code(c, x, y,
                                   inside.holds(x, y) ? frame.code(c, x, y) / 2 : frame.max_code());
                }
            }
        }
        const TestFrame before = frame;
        auto redactor = must(Redactor::create(frame.format(), RedactEffect::Blur));
        redactor.run(frame.view(), std::vector{box}, *threads);
        expect_same_outside(frame, before, box);
        if (box.width < 20.0 || box.width > 1000.0) {
            continue; // so small, or so strong, that no Gaussian's shape can be asked for
        }
        for (int c = 0; c < 3 && frame.has(c); ++c) {
            const Box all = samples_of(frame, c, box);
            const double sx =
                box.width / 8.0 / (frame.is_chroma(c) ? 1 << chroma_shift_x(GetParam()) : 1);
            const double sy =
                box.width / 8.0 / (frame.is_chroma(c) ? 1 << chroma_shift_y(GetParam()) : 1);
            double worst = 0.0;
            for (int y = all.top; y < all.bottom; y += 3) {
                for (int x = all.left; x < all.right; x += 3) {
                    double sum = 0.0;
                    double weights = 0.0;
                    for (int j = all.top; j < all.bottom; ++j) {
                        for (int i = all.left; i < all.right; ++i) {
                            const double w = std::exp(-0.5 * (((i - x) * (i - x) / (sx * sx)) +
                                                              ((j - y) * (j - y) / (sy * sy))));
                            sum += w * before.code(c, i, j);
                            weights += w;
                        }
                    }
                    worst = std::max(worst, std::abs(frame.code(c, x, y) - (sum / weights)) *
                                                255.0 / frame.max_code());
                }
            }
            // The noise inside has a deviation of 37 codes.
            EXPECT_LT(worst, 5.0) << describe(frame.format()) << " component " << c << " box "
                                  << box.x << "," << box.y << " " << box.width;
        }
    }
}

TEST(Redactor, blur_leaves_no_stripes_of_a_quarter_of_the_box) {
    const auto threads = runtime::ThreadPool::shared(1);
    TestFrame frame({PixelFormat::Gray8, 200, 100, {}}, 0);
    for (int y = 0; y < 100; ++y) {
        for (int x = 0; x < 200; ++x) {
            frame.set_code(0, x, y, (x / 10) % 2 == 0 ? 30 : 230);
        }
    }
    auto redactor = must(Redactor::create(frame.format(), RedactEffect::Blur));
    redactor.run(frame.view(), std::vector<PixelBox>{{.x = 40, .y = 10, .width = 80, .height = 80}},
                 *threads);
    int low = 255;
    int high = 0;
    for (int x = 60; x < 100; ++x) {
        low = std::min(low, frame.code(0, x, 50));
        high = std::max(high, frame.code(0, x, 50));
    }
    // exp(-2 pi^2 (sigma / period)^2) of +-127 (the fundamental of a square of +-100) is +-0.9.
    EXPECT_LE(high - low, 5);
}

TEST(Redactor, ignores_boxes_that_are_none) {
    std::mt19937 random(kRedactorSeed);
    const auto threads = runtime::ThreadPool::shared(1);
    const double nan = std::nan("");
    const double inf = HUGE_VAL;
    const std::vector<PixelBox> none{
        {.x = nan, .y = 1, .width = 5, .height = 5},   {.x = 1, .y = inf, .width = 5, .height = 5},
        {.x = 1, .y = 1, .width = inf, .height = 5},   {.x = 1, .y = 1, .width = 5, .height = nan},
        {.x = 10, .y = 10, .width = -5, .height = 5},  {.x = 10, .y = 10, .width = 0, .height = 5},
        {.x = 100, .y = 1, .width = 5, .height = 5},   {.x = -9, .y = 1, .width = 9, .height = 5},
        {.x = 1e300, .y = 1, .width = 5, .height = 5}, {.x = 5, .y = 5, .width = 5, .height = 0},
    };
    for (const RedactEffect effect :
         {RedactEffect::Blur, RedactEffect::Pixelate, RedactEffect::Black}) {
        TestFrame frame({PixelFormat::Nv12, 40, 30, {}}, 0);
        frame.fill_random(random);
        const TestFrame before = frame;
        auto redactor = must(Redactor::create(frame.format(), effect));
        redactor.run(frame.view(), none, *threads);
        EXPECT_EQ(frame.planes, before.planes);
    }
    EXPECT_FALSE(Redactor::create({PixelFormat::Nv12, 40, 30, {}}, RedactEffect::Blur, 0));
    EXPECT_FALSE(Redactor::create({PixelFormat::Nv12, 40, 30, {}}, RedactEffect::Blur, 100000));
    EXPECT_FALSE(Redactor::create({PixelFormat::Nv12, 0, 30, {}}, RedactEffect::Blur));
}

} // namespace sluice::testing
