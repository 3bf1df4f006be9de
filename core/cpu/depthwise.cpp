// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution: every channel has a filter of its own.
#include "core/cpu/depthwise.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/checked_math.h"
#include "core/cpu/partition.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

class DepthwiseConv final : public runtime::Kernel {
public:
    explicit DepthwiseConv(DepthwiseRows rows) : rows_(std::move(rows)) {}

    void run(const runtime::KernelIo& io) const override {
        const ConvShape& s = rows_.shape();
        const std::size_t count = s.batch * s.out_height;
        const double flops =
            kDepthwiseLoadFactor * s.flops_per_pixel() * static_cast<double>(s.out_width);
        const Partition work = partition(count, flops, io.threads.threads());
        io.threads.parallel_for(count, work.grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                run_row(io, row / s.out_height, row % s.out_height);
            }
        });
    }

private:
    void run_row(const runtime::KernelIo& io, std::size_t image, std::size_t y) const;

    DepthwiseRows rows_;
};

void DepthwiseConv::run_row(const runtime::KernelIo& io, std::size_t image, std::size_t y) const {
    const ConvShape& s = rows_.shape();
    const std::size_t out_row = (image * s.out_height + y) * s.out_width;
    DepthwiseRows::Row row = depthwise_row(s, y);
    row.input = io.input<float>(0) + image * s.in_height * s.in_width * s.in_channels;
    if (s.residual_channels > 0) {
        row.residual = io.input<float>(io.inputs.size() - 1) + out_row * s.residual_channels;
    }
    row.output = io.output<float>(0) + out_row * s.out_channels;
    rows_.run(row);
}

} // namespace

DepthwiseRows::Row depthwise_row(const ConvShape& s, std::size_t y) {
    const TapRange taps =
        valid_taps(y, s.stride_y, s.pad_top, s.dilation_y, s.kernel_height, s.in_height);
    const auto first_row = static_cast<std::ptrdiff_t>(y * s.stride_y + taps.begin * s.dilation_y) -
                           static_cast<std::ptrdiff_t>(s.pad_top);
    const std::size_t row_stride = s.in_width * s.in_channels;
    return {.input = nullptr,
            .base = first_row * static_cast<std::ptrdiff_t>(row_stride),
            .row_stride = s.dilation_y * row_stride,
            .first_tap = taps.begin,
            .rows = taps.end - taps.begin,
            .residual = nullptr,
            .output = nullptr};
}

DepthwiseRows::DepthwiseRows(const ConvShape& shape, AlignedFloats weights, AlignedFloats bias)
    : shape_(shape), kernels_(&depthwise_kernels()), weights_(std::move(weights)),
      bias_(std::move(bias)),
      fast_((shape.kernel_width == 3 || shape.kernel_width == 5) && shape.stride_x <= 2 &&
            shape.dilation_x == 1 && shape.out_channels >= kernels_->lanes) {
    plan_runs();
}

Result<DepthwiseRows> DepthwiseRows::create(const ConvShape& shape, const ConvConstants& data,
                                            std::size_t first, std::size_t count) {
    const std::size_t rows = 2 * shape.kernel_height - 1;
    const std::size_t width = shape.kernel_width;
    SLUICE_TRY_ASSIGN(AlignedFloats weights, allocate_floats(rows * width * count));
    SLUICE_TRY_ASSIGN(AlignedFloats bias, allocate_floats(count));
    for (std::size_t tap = 0; tap < rows * width; ++tap) {
        for (std::size_t c = 0; c < count; ++c) {
            weights[tap * count + c] =
                data.at(first + c, tap / width % shape.kernel_height, tap % width, 0);
        }
    }
    if (!data.bias.empty()) {
        std::copy_n(data.bias.begin() + static_cast<std::ptrdiff_t>(first), count, bias.get());
    }
    ConvShape some = shape;
    some.in_channels = some.out_channels = some.groups = count;
    return DepthwiseRows(some, std::move(weights), std::move(bias));
}

void DepthwiseRows::plan_runs() {
    const ConvShape& s = shape_;
    if (!fast_ || s.kernel_width != 3 || s.kernel_height != 3 || s.pad_left > 1) {
        return;
    }
    run_size_ =
        s.out_width % kDepthwiseRunPixels[0] != 0 && s.out_width % kDepthwiseRunPixels[1] == 0;
    const std::size_t pixels = kDepthwiseRunPixels[run_size_];
    const std::size_t limit = s.in_width + s.pad_left;
    const auto last_column = [&](std::size_t end) { return (end - 1) * s.stride_x + 3; };
    std::size_t end = s.out_width - s.out_width % pixels;
    while (end > 0 && last_column(end) > limit + 1) {
        end -= pixels;
    }
    if (end == 0) {
        return;
    }
    run_end_ = end;
    run_overhangs_ = last_column(end) > limit;
    // The rows that a run reads and writes stay in the L1 cache while its channels pass by.
    constexpr std::size_t kRunBytes = std::size_t{24} << 10U;
    const std::size_t tile_bytes = pixels * (3 * s.stride_x + 1) * s.out_channels * sizeof(float);
    run_tiles_ = std::max<std::size_t>(kRunBytes / tile_bytes, 1);
}

void DepthwiseRows::run(const Row& row) const {
    const ConvShape& s = shape_;
    const std::size_t channels = s.out_channels;
    DepthwiseTile tile{};
    tile.input = row.input;
    tile.base = row.base;
    tile.row_stride = row.row_stride;
    tile.column_stride = s.dilation_x * channels;
    tile.rows = row.rows;
    tile.channels = channels;
    tile.kernel_width = s.kernel_width;
    tile.weights = weights_.get() + row.first_tap * s.kernel_width * channels;
    tile.bias = bias_.get();
    tile.residual = row.residual;
    tile.residual_channels = s.residual_channels;
    tile.output = row.output;
    tile.activation = s.activation;
    std::size_t x = 0;
    while (x < s.out_width) {
        if (x < run_end_ && (tile.rows == 2 || tile.rows == 3)) {
            const std::size_t pixels = kDepthwiseRunPixels[run_size_];
            const std::size_t tiles = std::min((run_end_ - x) / pixels, run_tiles_);
            run_tiles(tile, x, tiles);
            x += tiles * pixels;
            continue;
        }
        const std::size_t left = s.out_width - x;
        const std::size_t pixels = fast_ ? std::bit_floor(std::min<std::size_t>(left, 8)) : 1;
        run_tile(tile, x, pixels);
        x += pixels;
    }
}

void DepthwiseRows::run_tiles(DepthwiseTile tile, std::size_t x, std::size_t tiles) const {
    const ConvShape& s = shape_;
    tile.base +=
        (static_cast<std::ptrdiff_t>(x * s.stride_x) - static_cast<std::ptrdiff_t>(s.pad_left)) *
        static_cast<std::ptrdiff_t>(s.in_channels);
    tile.output += x * s.out_channels;
    if (tile.residual != nullptr) {
        tile.residual += x * s.residual_channels;
    }
    const std::size_t end = x + tiles * kDepthwiseRunPixels[run_size_];
    kernels_->runs[s.stride_x - 1][tile.rows - 2][run_size_](
        tile, {.tiles = tiles,
               .left = x == 0 && s.pad_left > 0,
               .right = end == run_end_ && run_overhangs_});
}

void DepthwiseRows::run_tile(DepthwiseTile tile, std::size_t x, std::size_t pixels) const {
    const ConvShape& s = shape_;
    const auto first =
        static_cast<std::ptrdiff_t>(x * s.stride_x) - static_cast<std::ptrdiff_t>(s.pad_left);
    tile.base += first * static_cast<std::ptrdiff_t>(s.in_channels);
    tile.output += x * s.out_channels;
    if (tile.residual != nullptr) {
        tile.residual += x * s.residual_channels;
    }
    if (!fast_) {
        const TapRange taps =
            valid_taps(x, s.stride_x, s.pad_left, s.dilation_x, s.kernel_width, s.in_width);
        tile.column_begin = taps.begin;
        tile.column_end = taps.end;
        return kernels_->any(tile);
    }
    const auto columns = static_cast<std::ptrdiff_t>((pixels - 1) * s.stride_x + s.kernel_width);
    const auto width = static_cast<std::ptrdiff_t>(s.in_width);
    const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(-first, 0, columns);
    const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(width - first, begin, columns);
    tile.column_begin = static_cast<std::size_t>(begin);
    tile.column_end = static_cast<std::size_t>(end);
    const bool edge = end - begin < columns;
    const auto size = static_cast<std::size_t>(std::countr_zero(pixels));
    kernels_->fast[s.kernel_width == 5][s.stride_x - 1][edge][size](tile);
}

Result<std::unique_ptr<runtime::Kernel>> make_depthwise_conv(const ConvShape& shape,
                                                             const ConvConstants& data) {
    SLUICE_TRY_ASSIGN(DepthwiseRows rows,
                      DepthwiseRows::create(shape, data, 0, shape.out_channels));
    return std::make_unique<DepthwiseConv>(std::move(rows));
}

} // namespace sluice::cpu
