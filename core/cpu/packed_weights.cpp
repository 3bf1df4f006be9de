// SPDX-License-Identifier: Apache-2.0
// Cutting a matrix into panels, and a row of pixels into tiles.
#include "core/cpu/packed_weights.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/content_hash.h"
#include "core/runtime/packed_cache.h"

namespace sluice::cpu {

Result<AlignedFloats> allocate_floats(std::size_t count) {
    AlignedFloats floats = hwy::AllocateAligned<float>(std::max<std::size_t>(count, 1));
    if (floats == nullptr) {
        return fail(ErrorCode::OutOfMemory, "packing {} weights: out of memory", count);
    }
    std::fill_n(floats.get(), count, 0.0F);
    return floats;
}

namespace {

// What decides how a matrix is laid out, beside its values.
std::uint64_t layout_of(std::size_t k_count, std::size_t n_count, const GemmKernels& kernels,
                        const std::source_location& caller) {
    ContentHash hash;
    for (const std::uint64_t number :
         {k_count, n_count, kernels.full.lanes, kernels.full.max_vectors, kernels.half.lanes,
          std::size_t{caller.line()}}) {
        hash.add(number);
    }
    return hash.value()[0];
}

struct Cut {
    std::size_t vectors;
    bool half;
    std::size_t width;
};

// `columns` to as few vectors as hold them.
std::vector<Cut> cut(std::size_t columns, const GemmKernels& kernels) {
    std::vector<Cut> cuts;
    const auto add = [&](const GemmPanels& panels, bool half, std::size_t vectors) {
        // Panels as equal as possible: a narrow last one would leave the multipliers waiting.
        std::size_t left = div_ceil(vectors, panels.max_vectors);
        for (; left > 0; --left) {
            const std::size_t here = vectors / left;
            cuts.push_back({.vectors = here, .half = half, .width = here * panels.lanes});
            vectors -= here;
        }
    };
    const std::size_t lanes = kernels.half.lanes;
    const std::size_t rest = columns % kernels.full.lanes;
    if (rest == 0 || rest > lanes) {
        add(kernels.full, false, div_ceil(columns, kernels.full.lanes));
    } else if (columns <= lanes * kernels.half.max_vectors) { // in one panel
        add(kernels.half, true, div_ceil(columns, lanes));
    } else {
        add(kernels.full, false, columns / kernels.full.lanes);
        add(kernels.half, true, 1);
    }
    return cuts;
}

} // namespace

Result<PackedWeights> PackedWeights::create(std::size_t k_count, std::size_t n_count,
                                            std::span<const float> bias,
                                            const std::source_location& caller) {
    const GemmKernels& kernels = gemm_kernels();
    const std::vector<Cut> cuts = cut(n_count, kernels);
    std::size_t width = 0;
    for (const Cut& panel : cuts) {
        width += panel.width;
    }
    PackedWeights packed;
    packed.bytes_ = (k_count + 1) * width * sizeof(float);
    SLUICE_TRY_ASSIGN(
        auto memory,
        runtime::allocate_packed(packed.bytes_, layout_of(k_count, n_count, kernels, caller)));
    packed.storage_ = std::move(memory.bytes);
    packed.is_filled_ = memory.is_filled;

    float* const biases = packed.floats() + k_count * width;
    if (!packed.is_filled_) {
        std::ranges::copy(bias, biases);
    }
    std::size_t first = 0;
    for (const Cut& panel : cuts) {
        packed.panels_.push_back({
            .first_channel = first,
            .channels = std::min(panel.width, n_count - first),
            .vectors = panel.vectors,
            .half = panel.half,
            .width = panel.width,
            .weights = packed.floats() + k_count * first,
            .bias = biases + first,
        });
        first += panel.width;
    }
    return packed;
}

void run_panel(const GemmKernels& kernels, const PackedWeights::Panel& panel, std::size_t first_k,
               std::size_t pixels, GemmTile tile) {
    tile.weights = panel.weights + first_k * panel.width;
    tile.bias = panel.bias;
    tile.channels = panel.channels;
    tile.output += panel.first_channel;
    if (tile.residual != nullptr) {
        if (tile.residual_channels > panel.first_channel) {
            tile.residual += panel.first_channel;
            tile.residual_channels -= panel.first_channel;
        } else {
            tile.residual = nullptr;
        }
    }
    const GemmPanels& panels = kernels.panels(panel.half);
    const GemmFunction* const functions = panels.tiles[panel.vectors - 1];
    const std::size_t most = panels.max_pixels[panel.vectors - 1];
    while (pixels > 0) {
        // Tiles as equal as possible, for the same reason as panels; of the sizes that exist.
        std::size_t here = pixels / div_ceil(pixels, most);
        while (functions[here - 1] == nullptr) {
            --here;
        }
        functions[here - 1](tile);
        tile.base += static_cast<std::ptrdiff_t>(here * tile.pixel_stride);
        tile.output += here * tile.output_stride;
        if (tile.residual != nullptr) {
            tile.residual += here * tile.residual_stride;
        }
        pixels -= here;
    }
}

} // namespace sluice::cpu
