// SPDX-License-Identifier: Apache-2.0
// Running a chain: strips, tiles, and what is read and written.
#include "core/cpu/chain.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/base/checked_math.h"
#include "core/cpu/cache_size.h"
#include "core/cpu/chain_run.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMinTile = 384; // halos of less cost more than the next cache
constexpr std::size_t kMinStripRows = 16;
constexpr std::size_t kStripsPerThread = 2; // a thread that was preempted then loses less

} // namespace

ChainRun::ChainRun(ChainPlan plan, const Outputs& outputs, std::size_t cache_bytes)
    : plan_(std::move(plan)), outputs_(outputs), kernels_(chain_kernels()),
      winograd_(chain_winograd_kernels()) {
    // What the pictures need by the column.
    const std::size_t column =
        (plan_.planes + plain_rows() + plan_.point_planes * kWinogradTile / kChainPhases) *
        sizeof(float);
    const std::size_t fitting = cache_bytes / column;
    const std::size_t most = std::max(fitting - std::min(fitting, 2 * plan_.beside), kMinTile);
    // Equal tiles, but of whole vectors together with what they need beside them, and those lie
    // where vectors do.
    const std::size_t step = plan_.phases * kChainSlack;
    const std::size_t beside = align_up(plan_.beside, plan_.phases);
    const std::size_t halo = 2 * beside;
    const std::size_t equal = div_ceil(plan_.width, div_ceil(plan_.width, most));
    tile_width_ = std::min(align_up(equal + halo, step) - halo, plan_.width);
    // Behind the last column: the rest of its four, four of zeros, and what vectors overshoot.
    first_before_ = step;
    before_ = step + beside;
    const std::size_t columns =
        align_up(before_ + tile_width_ + beside, kChainPhases) + kChainPhases;
    stride_ = align_up(columns / plan_.phases + kChainSlack, kChainSlack);
    plane_stride_ = spread(plan_.phases * stride_);
    points_stride_ = spread(kWinogradTile * stride_);
}

void ChainRun::run(const runtime::KernelIo& io) const {
    const std::size_t rows = strip_rows(io.threads.threads());
    auto* const scratch = reinterpret_cast<float*>(io.scratch);
    io.threads.parallel_for(
        div_ceil(plan_.height, rows), 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t strip = begin; strip < end; ++strip) {
                run_strip(io, strip * rows, rows, scratch + strip * scratch_floats());
            }
        });
}

std::size_t ChainRun::scratch_bytes(unsigned threads) const {
    return div_ceil(plan_.height, strip_rows(threads)) * scratch_floats() * sizeof(float);
}

std::size_t ChainRun::strip_rows(unsigned threads) const {
    const std::size_t strips = threads <= 1 ? 1 : kStripsPerThread * threads;
    return std::min(std::max(div_ceil(plan_.height, strips), kMinStripRows), plan_.height);
}

void ChainRun::run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                         float* scratch) const {
    Tile tile{.top = top, .bottom = std::min(top + rows, plan_.height)};
    const auto take = [&](std::size_t planes, std::size_t stride) {
        return std::exchange(scratch, scratch + planes * stride);
    };
    tile.planes = take(plan_.planes, plane_stride_);
    tile.points = take(plan_.point_planes, points_stride_);
    tile.zeros = take(1, points_stride_);
    std::fill_n(tile.zeros, points_stride_, 0.0F);
    tile.products = take(plan_.products, 2 * kChainRowPoints);
    tile.source = take(source_planes(), plane_stride_);
    tile.result = take(result_planes(), plane_stride_);
    tile.blended = take(plan_.sum_channels, plane_stride_);
    for (tile.left = 0; tile.left < plan_.width; tile.left += tile_width_) {
        tile.right = std::min(tile.left + tile_width_, plan_.width);
        tile.before = tile.left == 0 ? first_before_ : before_;
        run_tile(io, tile);
    }
}

bool ChainRun::is_needed(const Tile& tile, const ChainPicture& picture, std::ptrdiff_t row) const {
    const std::size_t first = tile.top - std::min(tile.top, picture.above);
    const std::size_t end = std::min(tile.bottom + picture.below, plan_.height);
    return row >= static_cast<std::ptrdiff_t>(first) && row < static_cast<std::ptrdiff_t>(end);
}

void ChainRun::run_tile(const runtime::KernelIo& io, const Tile& tile) const {
    std::size_t lead = 0;
    for (const ChainPicture& picture : plan_.pictures) {
        lead = std::max(lead, picture.above + picture.below);
    }
    // At step y, a picture makes its rows from y + below on, unless nobody needs them.
    const auto rows = static_cast<std::ptrdiff_t>(plan_.rows);
    const auto top = static_cast<std::ptrdiff_t>(tile.top);
    const auto bottom = static_cast<std::ptrdiff_t>(tile.bottom);
    for (std::ptrdiff_t y = top - static_cast<std::ptrdiff_t>(align_up(lead, plan_.rows));
         y < bottom; y += rows) {
        const ChainPicture& source = plan_.pictures[0];
        for_needed(tile, source, y + static_cast<std::ptrdiff_t>(source.below),
                   [&](std::size_t row) { read_source(io, tile, row); });
        for (const ChainStage& stage : plan_.stages) {
            const ChainPicture& output = plan_.pictures[stage.output];
            run_stage(tile, stage, y + static_cast<std::ptrdiff_t>(output.below));
        }
        for_needed(tile, ChainPicture{}, y, [&](std::size_t row) { write_row(io, tile, row); });
    }
}

void ChainRun::read_source(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const {
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

void ChainRun::write_row(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const {
    const ChainPicture& picture = plan_.pictures.back();
    const std::size_t width = tile.right - tile.left;
    for (std::size_t c = 0; c < result_planes(); ++c) {
        kernels_.collect(plane(tile, picture, row, c) + tile.before / kChainPhases,
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

void ChainRun::enlarge(const Tile& tile, std::size_t row, std::size_t half) const {
    const std::size_t low = half == 0 ? row - std::min<std::size_t>(row, 1) : row;
    const std::size_t high = half == 0 ? row : std::min(row + 1, plan_.height - 1);
    const std::size_t width = tile.right - tile.left;
    for (std::size_t c = 0; c < plan_.sum_channels; ++c) {
        float* const to = tile.blended + c * plane_stride_ + tile.before;
        kernels_.blend(source(tile, low, c) + tile.before - 1,
                       source(tile, high, c) + tile.before - 1, half == 0 ? 0.75F : 0.25F,
                       width + 2, to - 1);
        if (tile.left == 0) {
            to[-1] = to[0];
        }
        if (tile.right == plan_.width) {
            to[width] = to[width - 1];
        }
    }
}

void ChainRun::write_shuffled(const runtime::KernelIo& io, const Tile& tile, std::size_t row,
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
            enlarged[c] = tile.blended + c * plane_stride_ + tile.before;
        }
        out.enlarged = enlarged.data();
        out.sum_channels = plan_.sum_channels;
        out.sum = io.output<float>(outputs_.sum) + at * plan_.sum_channels;
    }
    kernels_.shuffle(out);
}

std::size_t chain_cache_bytes() {
    return std::max(l2_cache_bytes(), l3_cache_bytes_per_processor()) / 2;
}

Result<std::unique_ptr<runtime::Kernel>> make_chain(const graph::Graph& graph, const Chain& chain,
                                                    const runtime::Segment& segment,
                                                    std::size_t cache_bytes) {
    SLUICE_TRY_ASSIGN(ChainPlan plan, plan_chain(graph, chain));
    ChainRun::Outputs outputs;
    for (std::size_t i = 0; i < segment.outputs.size(); ++i) {
        if (segment.outputs[i] == chain.sum) {
            outputs.sum = i;
        } else if (segment.outputs[i] == chain.shuffled) {
            outputs.shuffled = i;
        } else {
            outputs.result = i;
        }
    }
    return std::make_unique<ChainRun>(std::move(plan), outputs, cache_bytes);
}

} // namespace sluice::cpu
