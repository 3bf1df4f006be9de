// SPDX-License-Identifier: Apache-2.0
// The stages of a chain: one row of a convolution, directly or by Winograd's filtering.
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/cpu/chain_run.h"
#include "core/cpu/gemm_kernel.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMaxWindowPlanes = 400; // see chain_search.cpp
constexpr std::size_t kMaxChainInputs = 16;   // of a window

} // namespace

void ChainRun::complete(const Tile& tile, const ChainPicture& picture, std::size_t row) const {
    const Columns made = columns(tile, picture);
    const std::size_t begin = place(tile, made.begin);
    const std::size_t end = place(tile, made.end);
    // Columns outside of the picture are its padding; those inside of it that the tile does without
    // must only be finite.
    const std::size_t before = made.first * plan_.phases - kChainPhases;
    const std::size_t behind = (made.first + made.count) * plan_.phases + kChainPhases;
    float* at = plane(tile, picture, row, 0);
    float* to = picture.point_ring > 0 ? points(tile, picture, row, 0) : nullptr;
    for (std::size_t c = 0; c < picture.channels; ++c, at += plane_stride_) {
        for (std::size_t x = before; x < begin; ++x) {
            at[phase_place(x)] = 0.0F;
        }
        for (std::size_t x = end; x < behind; ++x) {
            at[phase_place(x)] = 0.0F;
        }
        if (to != nullptr) {
            winograd_.transform(at + made.first, stride_, made.count, to + made.first);
            to += points_stride_;
        }
    }
}

void ChainRun::run_stage(const Tile& tile, const ChainStage& stage, std::ptrdiff_t row) const {
    const ChainPicture& picture = plan_.pictures[stage.output];
    if (stage.is_winograd && (is_needed(tile, picture, row) || is_needed(tile, picture, row + 1))) {
        convolve_winograd(tile, stage, row);
    }
    for_needed(tile, picture, row, [&](std::size_t y) {
        if (!stage.is_winograd) {
            convolve(tile, stage, y);
        }
        finish_row(tile, stage, y);
    });
}

void ChainRun::finish_row(const Tile& tile, const ChainStage& stage, std::size_t row) const {
    const ChainPicture& picture = plan_.pictures[stage.output];
    const Columns made = columns(tile, picture);
    const Activation& activation = stage.shape.activation;
    for (std::size_t c = 0; c < picture.channels && !is_bounds(activation.kind); ++c) {
        for (std::size_t phase = 0; phase < plan_.phases; ++phase) {
            gemm_kernels().activate(plane(tile, picture, row, c) + phase * stride_ + made.first,
                                    made.count, activation);
        }
    }
    complete(tile, picture, row);
}

void ChainRun::convolve(const Tile& tile, const ChainStage& stage, std::size_t row) const {
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

void ChainRun::run_conv(const Tile& tile, const ChainStage& stage, std::size_t row,
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

void ChainRun::convolve_winograd(const Tile& tile, const ChainStage& stage,
                                 std::ptrdiff_t row) const {
    const ChainPicture& picture = plan_.pictures[stage.output];
    const Columns made = columns(tile, picture);
    const Bounds bounds = bounds_of(stage.shape.activation);
    ChainProducts products{.stride = stride_,
                           .weights = stage.weights.get(),
                           .inputs = stage.shape.in_channels,
                           .outputs = stage.sums,
                           .products = tile.products};
    std::array<std::array<const float*, kMaxChainInputs>, kChainWindowRows> rows{};
    for (std::size_t r = 0; r < kChainWindowRows; ++r) {
        const std::ptrdiff_t y = row - 1 + static_cast<std::ptrdiff_t>(r);
        const bool inside = y >= 0 && y < static_cast<std::ptrdiff_t>(plan_.height);
        std::size_t count = 0;
        for (const std::size_t input : stage.inputs) {
            const ChainPicture& from = plan_.pictures[input];
            const float* const at =
                inside ? points(tile, from, static_cast<std::size_t>(y), 0) : tile.zeros;
            for (std::size_t c = 0; c < from.channels; ++c) {
                rows[r][count++] = at + (inside ? c * points_stride_ : 0);
            }
        }
        products.rows[r] = rows[r].data();
    }
    for (std::size_t done = 0; done < made.count; done += kChainBlockTiles) {
        const std::size_t first = made.first + done;
        const std::size_t tiles = std::min(made.count - done, kChainBlockTiles);
        products.first = first;
        products.tiles = tiles;
        winograd_.multiply(products);
        for_needed(tile, picture, row, [&](std::size_t y) {
            const float* sums =
                tile.products + (static_cast<std::ptrdiff_t>(y) == row ? 0 : kChainRowPoints);
            float* output = plane(tile, picture, y, 0) + first;
            for (std::size_t o = 0; o < stage.sums; ++o) {
                winograd_.finish(
                    {.products = sums,
                     .bias = stage.bias.get()[o],
                     .output = output,
                     .mirrored = stage.is_mirrored ? output + stage.sums * plane_stride_ : nullptr,
                     .stride = stride_,
                     .tiles = tiles,
                     .low = bounds.low,
                     .high = bounds.high});
                sums += 2 * kChainRowPoints;
                output += plane_stride_;
            }
        });
    }
}

} // namespace sluice::cpu
