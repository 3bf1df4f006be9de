// SPDX-License-Identifier: Apache-2.0
// The stages of a chain: one row of a convolution, directly or by Winograd's filtering.
#include <algorithm>
#include <array>
#include <cstddef>

#include "core/cpu/chain_run.h"
#include "core/cpu/gemm_kernel.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMaxWindowPlanes = 400; // see chain_search.cpp

} // namespace

void ChainRun::complete(const Tile& tile, const ChainPicture& picture, std::size_t row) const {
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

void ChainRun::run_stage(const Tile& tile, const ChainStage& stage, std::size_t row) const {
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

void ChainRun::convolve_winograd(const Tile& tile, const ChainStage& stage, std::size_t row) const {
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

} // namespace sluice::cpu
