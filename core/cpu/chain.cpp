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
#include "core/cpu/gemm_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMaxWindowPlanes = 128; // see chain_search.cpp
constexpr std::size_t kTileStep = 24;         // a block of the kernels
constexpr std::size_t kMinTile = 5 * kTileStep;
constexpr std::size_t kMinStripRows = 16;
constexpr std::size_t kStripsPerThread = 2; // a thread that was preempted then loses less
constexpr std::size_t kNotAnOutput = SIZE_MAX;

class ChainKernel final : public runtime::Kernel {
public:
    struct Outputs {
        std::size_t result = kNotAnOutput, shuffled = kNotAnOutput, sum = kNotAnOutput;
    };
    ChainKernel(ChainPlan plan, const Outputs& outputs)
        : plan_(std::move(plan)), outputs_(outputs), kernels_(chain_kernels()) {
        // Half of the cache, for what the pictures need of it by the column.
        const std::size_t column = (plan_.planes + plan_.sum_channels) * sizeof(float);
        const std::size_t fitting = l2_cache_bytes() / 2 / column;
        const std::size_t most =
            std::max(fitting - std::min(fitting, 2 * plan_.beside + kChainSlack), kMinTile);
        const std::size_t tiles = div_ceil(plan_.width, most);
        tile_width_ =
            std::min(div_ceil(div_ceil(plan_.width, tiles), kTileStep) * kTileStep, plan_.width);
        stride_ = align_up(tile_width_ + 2 * (plan_.beside + kChainPadding) + kChainSlack, 16);
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
    // Rows [top, bottom) and columns [left, right) of the result, and the planes it is made in.
    struct Tile {
        std::size_t top, bottom, left, right;
        float* planes;
        float* blended; // enlarged rows of the source, [sum channel]
    };
    struct Columns {
        std::size_t begin, end;
    };

    [[nodiscard]] std::size_t strip_rows(unsigned threads) const {
        const std::size_t strips = threads <= 1 ? 1 : kStripsPerThread * threads;
        return std::min(std::max(div_ceil(plan_.height, strips), kMinStripRows), plan_.height);
    }
    [[nodiscard]] std::size_t scratch_floats() const {
        return (plan_.planes + plan_.sum_channels) * stride_;
    }
    [[nodiscard]] Columns columns(const Tile& tile, const ChainPicture& picture) const {
        return {.begin = tile.left - std::min(tile.left, picture.beside),
                .end = std::min(tile.right + picture.beside, plan_.width)};
    }
    // Where column 0 would be is `first column of the tile` floats before what this names.
    [[nodiscard]] std::ptrdiff_t index(const Tile& tile, std::size_t column) const {
        return static_cast<std::ptrdiff_t>(column) - static_cast<std::ptrdiff_t>(tile.left) +
               static_cast<std::ptrdiff_t>(plan_.beside + kChainPadding);
    }
    [[nodiscard]] float* plane(const Tile& tile, const ChainPicture& picture, std::size_t row,
                               std::size_t channel) const {
        return tile.planes +
               (picture.offset + row % picture.ring * picture.channels + channel) * stride_;
    }

    void run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                   float* scratch) const;
    void run_tile(const runtime::KernelIo& io, const Tile& tile) const;
    void read_source(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const;
    void run_stage(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    // Zeros beside a row that touches the picture's edge.
    void pad(const Tile& tile, const ChainPicture& picture, std::size_t row) const;
    void write_row(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const;
    void write_shuffled(const runtime::KernelIo& io, const Tile& tile, std::size_t row,
                        std::size_t half) const;
    // The source's rows around row 2 * row + half of twice the height, blended.
    void enlarge(const Tile& tile, std::size_t row, std::size_t half) const;

    ChainPlan plan_;
    Outputs outputs_;
    const ChainKernels& kernels_;
    std::size_t tile_width_ = 0;
    std::size_t stride_ = 0; // floats of a plane's row
};

void ChainKernel::run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                            float* scratch) const {
    for (std::size_t left = 0; left < plan_.width; left += tile_width_) {
        run_tile(io, {.top = top,
                      .bottom = std::min(top + rows, plan_.height),
                      .left = left,
                      .right = std::min(left + tile_width_, plan_.width),
                      .planes = scratch,
                      .blended = scratch + plan_.planes * stride_});
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

void ChainKernel::pad(const Tile& tile, const ChainPicture& picture, std::size_t row) const {
    const Columns made = columns(tile, picture);
    for (std::size_t c = 0; c < picture.channels; ++c) {
        float* const at = plane(tile, picture, row, c);
        if (made.begin == 0) {
            std::fill_n(at + index(tile, 0) - kChainPadding, kChainPadding, 0.0F);
        }
        if (made.end == plan_.width) {
            std::fill_n(at + index(tile, plan_.width), kChainPadding, 0.0F);
        }
    }
}

void ChainKernel::read_source(const runtime::KernelIo& io, const Tile& tile,
                              std::size_t row) const {
    const ChainPicture& source = plan_.pictures[0];
    const Columns made = columns(tile, source);
    planar_kernels().separate(io.input<float>(0) +
                                  (row * plan_.width + made.begin) * source.channels,
                              made.end - made.begin, source.channels,
                              plane(tile, source, row, 0) + index(tile, made.begin), stride_);
    pad(tile, source, row);
}

void ChainKernel::run_stage(const Tile& tile, const ChainStage& stage, std::size_t row) const {
    const ConvShape& s = stage.shape;
    const ChainPicture& picture = plan_.pictures[stage.output];
    const Columns made = columns(tile, picture);
    const TapRange taps = valid_taps(row, 1, s.pad_top, 1, s.kernel_height, plan_.height);
    const std::ptrdiff_t first = index(tile, made.begin) - static_cast<std::ptrdiff_t>(s.pad_left);
    std::array<const float*, kMaxWindowPlanes> planes; // NOLINT: written before it is read
    std::size_t count = 0;
    for (std::size_t t = taps.begin; t < taps.end; ++t) {
        for (const std::size_t input : stage.inputs) {
            const ChainPicture& from = plan_.pictures[input];
            const float* const at = plane(tile, from, row + t - s.pad_top, 0) + first;
            for (std::size_t c = 0; c < from.channels; ++c) {
                planes[count++] = at + c * stride_;
            }
        }
    }
    const Bounds bounds = bounds_of(s.activation);
    const std::size_t row_taps = s.in_channels * s.kernel_width;
    for (std::size_t o = 0; o < stage.sums; o += kMaxPlanarOutputs) {
        const std::size_t sums = std::min(stage.sums - o, kMaxPlanarOutputs);
        std::array<float*, kMaxPlanarOutputs> outputs{};
        std::array<float*, kMaxPlanarOutputs> mirrored{};
        for (std::size_t i = 0; i < sums; ++i) {
            outputs[i] = plane(tile, picture, row, o + i) + index(tile, made.begin);
            mirrored[i] = outputs[i] + (stage.is_mirrored ? stage.sums * stride_ : 0);
        }
        kernels_.conv[sums - 1][s.kernel_width / 2]({
            .planes = planes.data(),
            .plane_count = count,
            .weights =
                stage.weights.get() + o * s.kernel_height * row_taps + taps.begin * row_taps * sums,
            .bias = stage.bias.get() + o,
            .outputs = outputs.data(),
            .mirrored = stage.is_mirrored ? mirrored.data() : nullptr,
            .pixels = made.end - made.begin,
            .low = bounds.low,
            .high = bounds.high,
        });
        for (std::size_t i = 0; i < sums && !is_bounds(s.activation.kind); ++i) {
            gemm_kernels().activate(outputs[i], made.end - made.begin, s.activation);
        }
    }
    pad(tile, picture, row);
}

void ChainKernel::write_row(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const {
    if (plan_.shuffles) {
        write_shuffled(io, tile, row, 0);
        return write_shuffled(io, tile, row, 1);
    }
    const ChainPicture& result = plan_.pictures.back();
    std::array<const float*, kMaxPlanarOutputs> planes{};
    for (std::size_t c = 0; c < result.channels; ++c) {
        planes[c] = plane(tile, result, row, c) + index(tile, tile.left);
    }
    kernels_.join(planes.data(), result.channels, tile.right - tile.left,
                  io.output<float>(outputs_.result) +
                      (row * plan_.width + tile.left) * result.channels);
}

void ChainKernel::enlarge(const Tile& tile, std::size_t row, std::size_t half) const {
    const ChainPicture& source = plan_.pictures[0];
    const std::size_t low = half == 0 ? row - std::min<std::size_t>(row, 1) : row;
    const std::size_t high = half == 0 ? row : std::min(row + 1, plan_.height - 1);
    const std::size_t width = tile.right - tile.left;
    const std::ptrdiff_t first = index(tile, tile.left);
    for (std::size_t c = 0; c < plan_.sum_channels; ++c) {
        float* const to = tile.blended + c * stride_ + first;
        kernels_.blend(plane(tile, source, low, c) + first - 1,
                       plane(tile, source, high, c) + first - 1, half == 0 ? 0.75F : 0.25F,
                       width + 2, to - 1);
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
    const ChainPicture& result = plan_.pictures.back();
    const std::size_t channels = result.channels / 4;
    const std::size_t at = ((2 * row + half) * plan_.width + tile.left) * 2;
    std::array<const float*, 2 * kMaxPlanarOutputs> subpixels{};
    for (std::size_t i = 0; i < 2 * channels; ++i) {
        subpixels[i] = plane(tile, result, row, 2 * half * channels + i) + index(tile, tile.left);
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
            enlarged[c] = tile.blended + c * stride_ + index(tile, tile.left);
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
