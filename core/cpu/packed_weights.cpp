// SPDX-License-Identifier: Apache-2.0
// Cutting a matrix into panels, and a row of pixels into tiles.
#include "core/cpu/packed_weights.h"

#include <algorithm>

#include "core/base/checked_math.h"

namespace sluice::cpu {

Result<AlignedFloats> allocate_floats(std::size_t count) {
    AlignedFloats floats = hwy::AllocateAligned<float>(std::max<std::size_t>(count, 1));
    if (floats == nullptr) {
        return fail(ErrorCode::OutOfMemory, "packing {} weights: out of memory", count);
    }
    std::fill_n(floats.get(), count, 0.0F);
    return floats;
}

Result<PackedWeights> PackedWeights::create(std::size_t k_count, std::size_t n_count,
                                            std::span<const float> bias) {
    const GemmKernels& kernels = gemm_kernels();
    const std::size_t vectors = div_ceil(n_count, kernels.lanes);
    const std::size_t width = vectors * kernels.lanes;
    PackedWeights packed;
    SLUICE_TRY_ASSIGN(packed.storage_, allocate_floats((k_count + 1) * width));
    packed.bytes_ = (k_count + 1) * width * sizeof(float);

    // Panels as equal as possible: a narrow last one would leave the multipliers waiting.
    const std::size_t count = div_ceil(vectors, kernels.max_panel_vectors);
    float* const biases = packed.storage_.get() + k_count * width;
    std::ranges::copy(bias, biases);
    std::size_t done = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t here = (vectors - done) / (count - i);
        const std::size_t first = done * kernels.lanes;
        packed.panels_.push_back({
            .first_channel = first,
            .channels = std::min(here * kernels.lanes, n_count - first),
            .vectors = here,
            .width = here * kernels.lanes,
            .weights = packed.storage_.get() + k_count * first,
            .bias = biases + first,
        });
        done += here;
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
    const GemmFunction* const functions = kernels.tiles[panel.vectors - 1];
    const std::size_t most = kernels.max_pixels[panel.vectors - 1];
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
