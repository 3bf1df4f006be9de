// SPDX-License-Identifier: Apache-2.0
// write_matte against loops in double precision.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/thread_pool.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kMatteSeed = 77;

double at(const Matte& matte, int x, int y) {
    const int column = std::clamp(x, 0, static_cast<int>(matte.width) - 1);
    const int row = std::clamp(y, 0, static_cast<int>(matte.height) - 1);
    return matte
        .values[(static_cast<std::size_t>(row) * matte.width) + static_cast<std::size_t>(column)];
}

// 0..255, not rounded, of the picture pixel (x, y).
double expected(const Matte& matte, double frame_x, double frame_y) {
    const SourceRegion& r = matte.region;
    const double dx = frame_x - (r.x + (r.width / 2));
    const double dy = frame_y - (r.y + (r.height / 2));
    const double c = std::cos(-r.rotation_radians);
    const double s = std::sin(-r.rotation_radians);
    const double u = (((dx * c) - (dy * s)) / r.width + 0.5) * matte.width;
    const double v = (((dx * s) + (dy * c)) / r.height + 0.5) * matte.height;
    if (u < 0 || v < 0 || u >= matte.width || v >= matte.height) {
        return 0.0;
    }
    const int x = static_cast<int>(std::floor(u - 0.5));
    const int y = static_cast<int>(std::floor(v - 0.5));
    const double fx = u - 0.5 - x;
    const double fy = v - 0.5 - y;
    const double top = ((1 - fx) * at(matte, x, y)) + (fx * at(matte, x + 1, y));
    const double bottom = ((1 - fx) * at(matte, x, y + 1)) + (fx * at(matte, x + 1, y + 1));
    return std::clamp((((1 - fy) * top) + (fy * bottom)) * 255.0, 0.0, 255.0);
}

} // namespace

TEST(WriteMatte, is_right_for_every_size_and_region) {
    std::mt19937 random(kMatteSeed);
    const auto threads = runtime::ThreadPool::shared(2);
    std::uniform_real_distribution<float> value(-0.2F, 1.2F);
    std::uniform_real_distribution<double> unit(0.0, 1.0);
    for (int i = 0; i < 120; ++i) {
        const auto side = [&](std::uint32_t limit) {
            return static_cast<std::uint32_t>(1 + (random() % limit));
        };
        // Some mattes are wider than the strip of scratch, some pictures are a pixel.
        const std::uint32_t width = i % 10 == 0 ? 3000 : side(64);
        const std::uint32_t height = side(40);
        std::vector<float> values(std::size_t{width} * height);
        std::ranges::generate(values, [&] { return value(random); });
        const std::uint32_t frame_width = side(1500);
        const std::uint32_t frame_height = side(300);
        const bool whole = i % 2 == 0;
        SourceRegion region = stretch(frame_width, frame_height);
        if (!whole) {
            region = {.x = (unit(random) - 0.5) * frame_width,
                      .y = (unit(random) - 0.5) * frame_height,
                      .width = (0.1 + unit(random)) * frame_width,
                      .height = (0.1 + unit(random)) * frame_height,
                      .rotation_radians = i % 3 == 0 ? unit(random) * 6.0 : 0.0};
        }
        const Matte matte{values, width, height, region};
        const std::uint32_t out_width = i % 7 == 0 ? 1 : side(700);
        const std::uint32_t out_height = side(50);
        const std::size_t stride = out_width + (random() % 5);
        std::vector<std::uint8_t> out((stride * (out_height - 1)) + out_width, 99);
        write_matte(matte, frame_width, frame_height, {out.data(), stride, out_width, out_height},
                    *threads);
        for (std::uint32_t y = 0; y < out_height; ++y) {
            for (std::uint32_t x = 0; x < out_width; ++x) {
                const double want = expected(matte, (x + 0.5) * frame_width / out_width,
                                             (y + 0.5) * frame_height / out_height);
                ASSERT_NEAR(out[(y * stride) + x], want, 0.502)
                    << "seed " << kMatteSeed << " case " << i << " at " << x << "," << y;
            }
        }
        if (stride > out_width && out_height > 1) {
            EXPECT_EQ(out[out_width], 99) << "padding was written";
        }
    }
}

TEST(WriteMatte, takes_what_is_not_a_number_as_background) {
    const std::vector<float> values(4, std::numeric_limits<float>::quiet_NaN());
    std::vector<std::uint8_t> out(64, 99);
    const auto threads = runtime::ThreadPool::shared(1);
    write_matte({values, 2, 2, stretch(8, 8)}, 8, 8, {out.data(), 8, 8, 8}, *threads);
    EXPECT_TRUE(std::ranges::all_of(out, [](std::uint8_t v) { return v == 0; }));
}

} // namespace sluice::testing
