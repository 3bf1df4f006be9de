// SPDX-License-Identifier: Apache-2.0
// write_matte: a network's matte as a picture over the frame.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/runtime/thread_pool.h"
#include "zero_copy/mask_taps.h"
#include "zero_copy/strip_kernels.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

namespace {

constexpr std::size_t kMatteStrip = 256; // picture pixels at a time
constexpr std::size_t kMatteSpan = 1024; // matte columns that a strip may lie on for the fast way
constexpr std::size_t kMattePixelsPerTask = 32768;

// From picture pixels to matte coordinates (outer corners), along unturned axes.
struct Mapping {
    const Matte& matte;
    double frame_per_pixel_x;
    double frame_per_pixel_y;

    [[nodiscard]] double column(std::size_t x) const {
        const double at = (static_cast<double>(x) + 0.5) * frame_per_pixel_x;
        return (at - matte.region.x) / matte.region.width * matte.width;
    }
    [[nodiscard]] double row(std::size_t y) const {
        const double at = (static_cast<double>(y) + 0.5) * frame_per_pixel_y;
        return (at - matte.region.y) / matte.region.height * matte.height;
    }
    [[nodiscard]] bool has_row(double v) const { return v >= 0.0 && v < matte.height; }
    [[nodiscard]] bool has_column(double u) const { return u >= 0.0 && u < matte.width; }
    [[nodiscard]] const float* values(std::int32_t row) const {
        return matte.values.data() + (static_cast<std::size_t>(row) * matte.width);
    }
    [[nodiscard]] float sample(const MaskTaps& across, const MaskTaps& down) const {
        const auto mix = [](float a, float b, float weight) { return a + ((b - a) * weight); };
        const std::size_t left = static_cast<std::size_t>(across.first);
        const std::size_t right = std::min<std::size_t>(left + 1, matte.width - 1);
        const float* const upper = values(down.first);
        const float* const lower =
            values(std::min(down.first + 1, static_cast<std::int32_t>(matte.height) - 1));
        return mix(mix(upper[left], upper[right], across.weight),
                   mix(lower[left], lower[right], across.weight), down.weight);
    }
};

// One strip of columns of rows [begin, end).
void straight_strip(const Mapping& map, const GrayPicture& out, std::size_t x, std::size_t count,
                    std::size_t begin, std::size_t end) {
    std::array<std::int32_t, kMatteStrip> first{};
    std::array<float, kMatteStrip> weight; // NOLINT: filled as far as it is read
    std::array<float, kMatteStrip> strip;  // NOLINT: the same
    std::array<float, kMatteSpan + 1 + kGatherPadding> columns; // NOLINT: the same
    for (std::size_t i = 0; i < count; ++i) {
        const MaskTaps taps = mask_taps(map.column(x + i) - 0.5, map.matte.width);
        first[i] = taps.first;
        weight[i] = taps.weight;
    }
    const auto base = static_cast<std::size_t>(first[0]);
    const std::size_t span =
        std::min<std::size_t>(static_cast<std::size_t>(first[count - 1]) + 2, map.matte.width) -
        base;
    // Columns outside the region are background.
    std::size_t from = 0;
    std::size_t to = count;
    while (from < to && !map.has_column(map.column(x + from))) {
        ++from;
    }
    while (to > from && !map.has_column(map.column(x + to - 1))) {
        --to;
    }
    for (std::size_t y = begin; y < end; ++y) {
        std::uint8_t* const row = out.data + (y * out.stride_bytes) + x;
        const double v = map.row(y);
        if (from == to || !map.has_row(v)) {
            std::fill_n(row, count, std::uint8_t{0});
            continue;
        }
        const MaskTaps down = mask_taps(v - 0.5, map.matte.height);
        if (span <= kMatteSpan) {
            const float* const upper = map.values(down.first) + base;
            const bool single = map.matte.height == 1;
            lerp_rows(upper, single ? upper : upper + map.matte.width, down.weight, span,
                      columns.data());
            columns[span] = columns[span - 1];
            gather_lerp(columns.data(), first[0], first.data(), weight.data(), count, strip.data());
        } else {
            for (std::size_t i = 0; i < count; ++i) {
                strip[i] = map.sample({.first = first[i], .weight = weight[i]}, down);
            }
        }
        std::fill_n(strip.data(), from, 0.0F);
        std::fill(strip.data() + to, strip.data() + count, 0.0F);
        store_unit_bytes(strip.data(), count, row);
    }
}

void turned_rows(const Mapping& map, const GrayPicture& out, std::size_t begin, std::size_t end) {
    const SourceRegion& region = map.matte.region;
    const double cosine = std::cos(region.rotation_radians);
    const double sine = std::sin(region.rotation_radians);
    for (std::size_t y = begin; y < end; ++y) {
        for (std::size_t x = 0; x < out.width; ++x) {
            const double dx = ((static_cast<double>(x) + 0.5) * map.frame_per_pixel_x) - region.x -
                              (region.width / 2.0);
            const double dy = ((static_cast<double>(y) + 0.5) * map.frame_per_pixel_y) - region.y -
                              (region.height / 2.0);
            // The region is turned clockwise; turn back.
            const double u =
                ((((dx * cosine) + (dy * sine)) / region.width) + 0.5) * map.matte.width;
            const double v =
                ((((dy * cosine) - (dx * sine)) / region.height) + 0.5) * map.matte.height;
            float value = 0.0F;
            if (map.has_column(u) && map.has_row(v)) {
                value = map.sample(mask_taps(u - 0.5, map.matte.width),
                                   mask_taps(v - 0.5, map.matte.height));
            }
            store_unit_bytes(&value, 1, out.data + (y * out.stride_bytes) + x);
        }
    }
}

} // namespace

void write_matte(const Matte& matte, std::uint32_t frame_width, std::uint32_t frame_height,
                 const GrayPicture& out, runtime::ThreadPool& threads) {
    constexpr std::uint32_t kMaxSide = 1U << 28U;
    const bool valid = matte.width > 0 && matte.height > 0 && matte.width <= kMaxSide &&
                       matte.height <= kMaxSide &&
                       matte.values.size() >= std::size_t{matte.width} * matte.height &&
                       std::isfinite(matte.region.x) && std::isfinite(matte.region.y) &&
                       matte.region.width > 0.0 && matte.region.height > 0.0 &&
                       std::isfinite(matte.region.width) && std::isfinite(matte.region.height) &&
                       std::isfinite(matte.region.rotation_radians);
    if (!valid || out.data == nullptr || out.width == 0 || out.height == 0) {
        return;
    }
    const Mapping map{.matte = matte,
                      .frame_per_pixel_x = static_cast<double>(frame_width) / out.width,
                      .frame_per_pixel_y = static_cast<double>(frame_height) / out.height};
    const std::size_t grain = std::max<std::size_t>(1, kMattePixelsPerTask / out.width);
    threads.parallel_for(out.height, grain, [&](std::size_t begin, std::size_t end) {
        if (matte.region.rotation_radians != 0.0) {
            turned_rows(map, out, begin, end);
            return;
        }
        for (std::size_t x = 0; x < out.width; x += kMatteStrip) {
            straight_strip(map, out, x, std::min<std::size_t>(kMatteStrip, out.width - x), begin,
                           end);
        }
    });
}

} // namespace sluice::zero_copy
