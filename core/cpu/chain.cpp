// SPDX-License-Identifier: Apache-2.0
// Running a chain: tile by tile, row by row through all of its stages.
#include "core/cpu/chain.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/base/checked_math.h"
#include "core/cpu/cache_size.h"
#include "core/cpu/chain_kernel.h"
#include "core/cpu/chain_plan.h"
#include "core/cpu/chain_winograd_kernel.h"
#include "core/cpu/gemm_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMaxWindowPlanes = 400;   // see chain_search.cpp
constexpr std::size_t kTileStep = 96;           // pixels of a block of the kernels
constexpr std::size_t kMinTile = 4 * kTileStep; // halos of less cost more than the next cache
constexpr std::size_t kMinStripRows = 16;
constexpr std::size_t kStripsPerThread = 2; // a thread that was preempted then loses less
constexpr std::size_t kNotAnOutput = SIZE_MAX;

class ChainKernel final : public runtime::Kernel {
public:
    struct Outputs {
        std::size_t result = kNotAnOutput, shuffled = kNotAnOutput, sum = kNotAnOutput;
    };
    ChainKernel(ChainPlan plan, const Outputs& outputs)
        : plan_(std::move(plan)), outputs_(outputs), kernels_(chain_kernels()),
          winograd_(chain_winograd_kernels()),
          before_(align_up(plan_.beside + kChainPhases, kChainPhases * kChainSlack)) {
        // Half of the cache, for what the pictures need of it by the column.
        const std::size_t column =
            (plan_.planes + plain_rows() +
             (plan_.point_planes + plan_.products) * kWinogradTile / kChainPhases) *
            sizeof(float);
        const std::size_t fitting = l2_cache_bytes() / 2 / column;
        const std::size_t most = std::max(fitting - std::min(fitting, 2 * plan_.beside), kMinTile);
        const std::size_t tiles = div_ceil(plan_.width, most);
        tile_width_ =
            std::min(div_ceil(div_ceil(plan_.width, tiles), kTileStep) * kTileStep, plan_.width);
        // Behind the last column: the rest of its four, four of zeros, and what vectors overshoot.
        const std::size_t columns =
            align_up(before_ + tile_width_ + plan_.beside, kChainPhases) + kChainPhases;
        stride_ = align_up(columns / plan_.phases + kChainSlack, kChainSlack);
        plane_stride_ = spread(plan_.phases * stride_);
        points_stride_ = spread(kWinogradTile * stride_);
    }

    void run(const runtime::KernelIo& io) const override {
        const std::size_t rows = strip_rows(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(
            div_ceil(plan_.height, rows), 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t strip = begin; strip < end; ++strip) {
                    run_strip(io, strip * rows, rows, scratch + strip * scratch_floats());
                }
            });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return div_ceil(plan_.height, strip_rows(threads)) * scratch_floats() * sizeof(float);
    }

private:
    // Rows [top, bottom) and columns [left, right) of the result, and the rows it is made in.
    struct Tile {
        std::size_t top, bottom, left, right;
        float* planes;   // of the pictures
        float* points;   // of the pictures
        float* products; // of one stage
        float* source;   // rows as they are read: [row][channel]
        float* result;   // a row as it is written: [channel]
        float* blended;  // an enlarged row of the source, [sum channel]
    };
    // Columns [begin, end) are made: `count` values of each phase from value `first` on.
    struct Columns {
        std::size_t begin, end, first, count;
    };

    // An odd number of cache lines: planes at a power of two would fall on each other.
    [[nodiscard]] static std::size_t spread(std::size_t floats) {
        return (align_up(floats, 16) / 16 | 1U) * 16;
    }
    // Those that are not dealt out to phases; without phases, a picture's own rows serve.
    [[nodiscard]] std::size_t plain_rows() const {
        return source_planes() + result_planes() + plan_.sum_channels;
    }
    [[nodiscard]] std::size_t source_planes() const {
        return plan_.source_ring * plan_.pictures[0].channels;
    }
    [[nodiscard]] std::size_t result_planes() const {
        return plan_.phases == 1 ? 0 : plan_.pictures.back().channels;
    }
    [[nodiscard]] std::size_t strip_rows(unsigned threads) const {
        const std::size_t strips = threads <= 1 ? 1 : kStripsPerThread * threads;
        return std::min(std::max(div_ceil(plan_.height, strips), kMinStripRows), plan_.height);
    }
    [[nodiscard]] std::size_t scratch_floats() const {
        return (plan_.planes + plain_rows()) * plane_stride_ +
               (plan_.point_planes + plan_.products) * points_stride_;
    }
    // Where a column lies in a row without phases: column `left` of the tile at the beginning of
    // four.
    [[nodiscard]] std::size_t place(const Tile& tile, std::size_t column) const {
        return column + before_ - tile.left;
    }
    // ... and in one with phases.
    [[nodiscard]] std::size_t phase_place(std::size_t place) const {
        return plan_.phases == 1 ? place : place % kChainPhases * stride_ + place / kChainPhases;
    }
    [[nodiscard]] Columns columns(const Tile& tile, const ChainPicture& picture) const {
        const std::size_t begin = tile.left - std::min(tile.left, picture.beside);
        const std::size_t end = std::min(tile.right + picture.beside, plan_.width);
        const std::size_t first = place(tile, begin) / plan_.phases;
        return {.begin = begin,
                .end = end,
                .first = first,
                .count = div_ceil(place(tile, end), plan_.phases) - first};
    }
    [[nodiscard]] float* plane(const Tile& tile, const ChainPicture& picture, std::size_t row,
                               std::size_t channel) const {
        return tile.planes +
               (picture.offset + row % picture.ring * picture.channels + channel) * plane_stride_;
    }
    [[nodiscard]] float* points(const Tile& tile, const ChainPicture& picture, std::size_t row,
                                std::size_t channel) const {
        return tile.points +
               (picture.point_offset + row % picture.point_ring * picture.channels + channel) *
                   points_stride_;
    }
    [[nodiscard]] float* source(const Tile& tile, std::size_t row, std::size_t channel) const {
        const ChainPicture& picture = plan_.pictures[0];
        return plan_.phases == 1
                   ? plane(tile, picture, row, channel)
                   : tile.source +
                         (row % plan_.source_ring * picture.channels + channel) * plane_stride_;
    }
    // From column `left` of the tile on.
    [[nodiscard]] const float* result(const Tile& tile, std::size_t row,
                                      std::size_t channel) const {
        return plan_.phases == 1 ? plane(tile, plan_.pictures.back(), row, channel) + before_
                                 : tile.result + channel * plane_stride_;
    }

    void run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                   float* scratch) const;
    void run_tile(const runtime::KernelIo& io, const Tile& tile) const;
    void read_source(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const;
    void run_stage(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    void convolve(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    // To all output channels, `at` floats into their planes; `conv` names what is read.
    void run_conv(const Tile& tile, const ChainStage& stage, std::size_t row, ChainConvRow conv,
                  std::size_t first_plane, std::size_t at) const;
    void convolve_winograd(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    // What readers of a row need besides its pixels: zeros around them, and their points.
    void complete(const Tile& tile, const ChainPicture& picture, std::size_t row) const;
    void write_row(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const;
    void write_shuffled(const runtime::KernelIo& io, const Tile& tile, std::size_t row,
                        std::size_t half) const;
    // The source's rows around row 2 * row + half of twice the height, blended.
    void enlarge(const Tile& tile, std::size_t row, std::size_t half) const;

    ChainPlan plan_;
    Outputs outputs_;
    const ChainKernels& kernels_;
    const ChainWinogradKernels& winograd_;
    std::size_t before_; // columns of a row before those of the tile
    std::size_t tile_width_ = 0;
    std::size_t stride_ = 0; // floats of a phase, and of a point
    std::size_t plane_stride_ = 0, points_stride_ = 0;
};

void ChainKernel::run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                            float* scratch) const {
    Tile tile{.top = top, .bottom = std::min(top + rows, plan_.height)};
    const auto take = [&](std::size_t planes, std::size_t stride) {
        return std::exchange(scratch, scratch + planes * stride);
    };
    tile.planes = take(plan_.planes, plane_stride_);
    tile.points = take(plan_.point_planes, points_stride_);
    tile.products = take(plan_.products, points_stride_);
    tile.source = take(source_planes(), plane_stride_);
    tile.result = take(result_planes(), plane_stride_);
    tile.blended = take(plan_.sum_channels, plane_stride_);
    for (tile.left = 0; tile.left < plan_.width; tile.left += tile_width_) {
        tile.right = std::min(tile.left + tile_width_, plan_.width);
        run_tile(io, tile);
    }
}

void ChainKernel::run_tile(const runtime::KernelIo& io, const Tile& tile) const {
    // At step y, a picture makes its row y + below, unless nobody needs that.
    const auto due = [&](const ChainPicture& picture, std::ptrdiff_t y) {
        const std::ptrdiff_t row = y + static_cast<std::ptrdiff_t>(picture.below);
        const std::size_t first = tile.top - std::min(tile.top, picture.above);
        const std::size_t end = std::min(tile.bottom + picture.below, plan_.height);
        const bool needed =
            row >= static_cast<std::ptrdiff_t>(first) && row < static_cast<std::ptrdiff_t>(end);
        return std::pair(needed, static_cast<std::size_t>(row));
    };
    std::size_t lead = 0;
    for (const ChainPicture& picture : plan_.pictures) {
        lead = std::max(lead, picture.above + picture.below);
    }
    const auto bottom = static_cast<std::ptrdiff_t>(tile.bottom);
    for (std::ptrdiff_t y =
             static_cast<std::ptrdiff_t>(tile.top) - static_cast<std::ptrdiff_t>(lead);
         y < bottom; ++y) {
        if (const auto [needed, row] = due(plan_.pictures[0], y); needed) {
            read_source(io, tile, row);
        }
        for (const ChainStage& stage : plan_.stages) {
            if (const auto [needed, row] = due(plan_.pictures[stage.output], y); needed) {
                run_stage(tile, stage, row);
            }
        }
        if (y >= static_cast<std::ptrdiff_t>(tile.top)) {
            write_row(io, tile, static_cast<std::size_t>(y));
        }
    }
}

void ChainKernel::complete(const Tile& tile, const ChainPicture& picture, std::size_t row) const {
    const Columns made = columns(tile, picture);
    const std::size_t begin = place(tile, made.begin);
    const std::size_t end = place(tile, made.end);
    // Columns outside of the picture are its padding; those inside of it that the tile does without
    // must only be finite.
    const std::size_t before = made.first * plan_.phases - kChainPhases;
    const std::size_t behind = (made.first + made.count) * plan_.phases + kChainPhases;
    for (std::size_t c = 0; c < picture.channels; ++c) {
        float* const at = plane(tile, picture, row, c);
        for (std::size_t x = before; x < begin; ++x) {
            at[phase_place(x)] = 0.0F;
        }
        for (std::size_t x = end; x < behind; ++x) {
            at[phase_place(x)] = 0.0F;
        }
        if (picture.point_ring > 0) {
            winograd_.transform(at + made.first, stride_, made.count,
                                points(tile, picture, row, c) + made.first);
        }
    }
}

void ChainKernel::read_source(const runtime::KernelIo& io, const Tile& tile,
                              std::size_t row) const {
    const ChainPicture& picture = plan_.pictures[0];
    const Columns made = columns(tile, picture);
    planar_kernels().separate(io.input<float>(0) +
                                  (row * plan_.width + made.begin) * picture.channels,
                              made.end - made.begin, picture.channels,
                              source(tile, row, 0) + place(tile, made.begin), plane_stride_);
    for (std::size_t c = 0; c < picture.channels && plan_.phases > 1; ++c) {
        kernels_.deal(source(tile, row, c) + made.first * kChainPhases, made.count, stride_,
                      plane(tile, picture, row, c) + made.first);
    }
    complete(tile, picture, row);
}

void ChainKernel::run_stage(const Tile& tile, const ChainStage& stage, std::size_t row) const {
    const ChainPicture& picture = plan_.pictures[stage.output];
    const Columns made = columns(tile, picture);
    const Activation& activation = stage.shape.activation;
    stage.is_winograd ? convolve_winograd(tile, stage, row) : convolve(tile, stage, row);
    for (std::size_t c = 0; c < picture.channels && !is_bounds(activation.kind); ++c) {
        for (std::size_t phase = 0; phase < plan_.phases; ++phase) {
            gemm_kernels().activate(plane(tile, picture, row, c) + phase * stride_ + made.first,
                                    made.count, activation);
        }
    }
    complete(tile, picture, row);
}

void ChainKernel::convolve(const Tile& tile, const ChainStage& stage, std::size_t row) const {
    const ConvShape& s = stage.shape;
    const Columns made = columns(tile, plan_.pictures[stage.output]);
    const TapRange taps = valid_taps(row, 1, s.pad_top, 1, s.kernel_height, plan_.height);
    // Every phase of a wider window reads others of the phases.
    const std::size_t together = s.kernel_width == 1 ? plan_.phases : 1;
    for (std::size_t phase = 0; phase < plan_.phases; phase += together) {
        std::array<const float*, kMaxWindowPlanes> planes; // NOLINT: written before it is read
        std::size_t count = 0;
        const std::size_t first = made.first * plan_.phases + phase - s.pad_left;
        for (std::size_t t = taps.begin; t < taps.end; ++t) {
            for (const std::size_t input : stage.inputs) {
                const ChainPicture& from = plan_.pictures[input];
                const float* const at = plane(tile, from, row + t - s.pad_top, 0);
                for (std::size_t c = 0; c < from.channels; ++c) {
                    for (std::size_t k = 0; k < s.kernel_width; ++k) {
                        planes[count++] = at + c * plane_stride_ + phase_place(first + k);
                    }
                }
            }
        }
        run_conv(tile, stage, row,
                 {.planes = planes.data(),
                  .plane_count = count,
                  .count = made.count,
                  .phases = together,
                  .stride = stride_},
                 taps.begin * s.in_channels * s.kernel_width, phase * stride_ + made.first);
    }
}

void ChainKernel::run_conv(const Tile& tile, const ChainStage& stage, std::size_t row,
                           ChainConvRow conv, std::size_t first_plane, std::size_t at) const {
    const ConvShape& s = stage.shape;
    const Bounds bounds = bounds_of(s.activation);
    conv.low = bounds.low;
    conv.high = bounds.high;
    for (std::size_t o = 0; o < stage.sums; o += kMaxPlanarOutputs) {
        const std::size_t sums = std::min(stage.sums - o, kMaxPlanarOutputs);
        std::array<float*, kMaxPlanarOutputs> outputs{};
        std::array<float*, kMaxPlanarOutputs> mirrored{};
        for (std::size_t i = 0; i < sums; ++i) {
            outputs[i] = plane(tile, plan_.pictures[stage.output], row, o + i) + at;
            mirrored[i] = outputs[i] + (stage.is_mirrored ? stage.sums * plane_stride_ : 0);
        }
        conv.weights = stage.weights.get() + o * s.taps() * s.in_channels + first_plane * sums;
        conv.bias = stage.bias.get() + o;
        conv.outputs = outputs.data();
        conv.mirrored = stage.is_mirrored ? mirrored.data() : nullptr;
        kernels_.conv[sums - 1](conv);
    }
}

void ChainKernel::convolve_winograd(const Tile& tile, const ChainStage& stage,
                                    std::size_t row) const {
    const ConvShape& s = stage.shape;
    const ChainPicture& picture = plan_.pictures[stage.output];
    const Columns made = columns(tile, picture);
    const TapRange taps = valid_taps(row, 1, s.pad_top, 1, s.kernel_height, plan_.height);
    std::array<const float*, kMaxWindowPlanes> planes; // NOLINT: written before it is read
    std::size_t count = 0;
    for (std::size_t t = taps.begin; t < taps.end; ++t) {
        for (const std::size_t input : stage.inputs) {
            const ChainPicture& from = plan_.pictures[input];
            const float* const at = points(tile, from, row + t - s.pad_top, 0) + made.first;
            for (std::size_t c = 0; c < from.channels; ++c) {
                planes[count++] = at + c * points_stride_;
            }
        }
    }
    winograd_.multiply({
        .planes = planes.data(),
        .plane_count = count,
        .stride = stride_,
        .weights = stage.weights.get(),
        .first_plane = taps.begin * s.in_channels,
        .filter_planes = s.kernel_height * s.in_channels,
        .outputs = stage.sums,
        .products = tile.products,
        .tiles = made.count,
    });
    const Bounds bounds = bounds_of(s.activation);
    for (std::size_t o = 0; o < stage.sums; ++o) {
        float* const output = plane(tile, picture, row, o) + made.first;
        winograd_.finish({
            .products = tile.products + o * kWinogradTile * stride_,
            .stride = stride_,
            .bias = stage.bias.get()[o],
            .output = output,
            .mirrored = stage.is_mirrored ? output + stage.sums * plane_stride_ : nullptr,
            .tiles = made.count,
            .low = bounds.low,
            .high = bounds.high,
        });
    }
}

void ChainKernel::write_row(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const {
    const ChainPicture& picture = plan_.pictures.back();
    const std::size_t width = tile.right - tile.left;
    for (std::size_t c = 0; c < result_planes(); ++c) {
        kernels_.collect(plane(tile, picture, row, c) + before_ / kChainPhases,
                         div_ceil(width, kChainPhases), stride_, tile.result + c * plane_stride_);
    }
    if (plan_.shuffles) {
        write_shuffled(io, tile, row, 0);
        return write_shuffled(io, tile, row, 1);
    }
    std::array<const float*, kMaxPlanarOutputs> planes{};
    for (std::size_t c = 0; c < picture.channels; ++c) {
        planes[c] = result(tile, row, c);
    }
    kernels_.join(planes.data(), picture.channels, width,
                  io.output<float>(outputs_.result) +
                      (row * plan_.width + tile.left) * picture.channels);
}

void ChainKernel::enlarge(const Tile& tile, std::size_t row, std::size_t half) const {
    const std::size_t low = half == 0 ? row - std::min<std::size_t>(row, 1) : row;
    const std::size_t high = half == 0 ? row : std::min(row + 1, plan_.height - 1);
    const std::size_t width = tile.right - tile.left;
    for (std::size_t c = 0; c < plan_.sum_channels; ++c) {
        float* const to = tile.blended + c * plane_stride_ + before_;
        kernels_.blend(source(tile, low, c) + before_ - 1, source(tile, high, c) + before_ - 1,
                       half == 0 ? 0.75F : 0.25F, width + 2, to - 1);
        if (tile.left == 0) {
            to[-1] = to[0];
        }
        if (tile.right == plan_.width) {
            to[width] = to[width - 1];
        }
    }
}

void ChainKernel::write_shuffled(const runtime::KernelIo& io, const Tile& tile, std::size_t row,
                                 std::size_t half) const {
    const std::size_t channels = plan_.pictures.back().channels / 4;
    const std::size_t at = ((2 * row + half) * plan_.width + tile.left) * 2;
    std::array<const float*, 2 * kMaxPlanarOutputs> subpixels{};
    for (std::size_t i = 0; i < 2 * channels; ++i) {
        subpixels[i] = result(tile, row, 2 * half * channels + i);
    }
    ChainShuffleRow out{};
    out.subpixels = subpixels.data();
    out.channels = channels;
    out.pixels = tile.right - tile.left;
    if (outputs_.shuffled != kNotAnOutput) {
        out.shuffled = io.output<float>(outputs_.shuffled) + at * channels;
    }
    std::array<const float*, kMaxPlanarOutputs> enlarged{};
    out.sum_channels = channels;
    if (plan_.sum_channels > 0) {
        enlarge(tile, row, half);
        for (std::size_t c = 0; c < plan_.sum_channels; ++c) {
            enlarged[c] = tile.blended + c * plane_stride_ + before_;
        }
        out.enlarged = enlarged.data();
        out.sum_channels = plan_.sum_channels;
        out.sum = io.output<float>(outputs_.sum) + at * plan_.sum_channels;
    }
    kernels_.shuffle(out);
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> make_chain(const graph::Graph& graph, const Chain& chain,
                                                    const runtime::Segment& segment) {
    SLUICE_TRY_ASSIGN(ChainPlan plan, plan_chain(graph, chain));
    ChainKernel::Outputs outputs;
    for (std::size_t i = 0; i < segment.outputs.size(); ++i) {
        if (segment.outputs[i] == chain.sum) {
            outputs.sum = i;
        } else if (segment.outputs[i] == chain.shuffled) {
            outputs.shuffled = i;
        } else {
            outputs.result = i;
        }
    }
    return std::make_unique<ChainKernel>(std::move(plan), outputs);
}

} // namespace sluice::cpu
