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

// Matrices of more columns are summed in the same order in all of them: their last ones are a small
// share of the work, and where columns are classes, those of equal weights must tie.
constexpr std::size_t kMaxSteppedColumns = 128;
constexpr std::size_t kLayout = 3; // a new number where the same shape is laid out otherwise

// What decides how a matrix is laid out, beside its values.
std::uint64_t layout_of(const PackedShape& shape, const GemmKernels& kernels,
                        const std::source_location& caller) {
    ContentHash hash;
    for (const std::uint64_t number :
         {kLayout, shape.k_count, shape.n_count, shape.segment_or_all(),
          std::size_t{shape.is_plain}, std::size_t{caller.line()}}) {
        hash.add(number);
    }
    for (const GemmPanels& panels : kernels.kinds) {
        hash.add(std::uint64_t{panels.columns});
        hash.add(std::uint64_t{panels.max_vectors});
    }
    return hash.value()[0];
}

struct Cut {
    PanelKind kind;
    std::size_t vectors;
    std::size_t width;
};

// The kind of panel for `columns`, fewer than a full vector has lanes: of those that exist, the one
// with the most steps.
PanelKind kind_for(std::size_t columns, const PackedShape& shape, const GemmKernels& kernels) {
    using enum PanelKind;
    const auto fits = [&](PanelKind kind) { return columns <= kernels.panels(kind).columns; };
    const auto divides = [&](PanelKind kind) {
        return shape.segment_or_all() % kernels.panels(kind).steps == 0;
    };
    if (shape.is_plain || shape.n_count > kMaxSteppedColumns) {
        return fits(Half) ? Half : Full;
    }
    for (const PanelKind kind : {One, Four}) {
        if (fits(kind) && divides(kind)) {
            return kind;
        }
    }
    return fits(Eight) ? Eight : Full;
}

// Columns to as few vectors as hold them.
std::vector<Cut> cut(const PackedShape& shape, const GemmKernels& kernels) {
    using enum PanelKind;
    std::vector<Cut> cuts;
    const GemmPanels& full = kernels.panels(Full);
    const std::size_t rest = shape.n_count % full.columns;
    const PanelKind last = rest == 0 ? Full : kind_for(rest, shape, kernels);
    // Panels as equal as possible: a narrow last one would leave the multipliers waiting.
    std::size_t vectors = shape.n_count / full.columns + (rest > 0 && last == Full ? 1 : 0);
    for (std::size_t left = div_ceil(vectors, full.max_vectors); left > 0; --left) {
        const std::size_t here = vectors / left;
        cuts.push_back({.kind = Full, .vectors = here, .width = here * full.columns});
        vectors -= here;
    }
    if (last != Full) {
        cuts.push_back({.kind = last, .vectors = 1, .width = kernels.panels(last).columns});
    }
    return cuts;
}

} // namespace

Result<PackedWeights> PackedWeights::create(const PackedShape& shape, std::span<const float> bias,
                                            const std::source_location& caller) {
    const GemmKernels& kernels = gemm_kernels();
    const std::vector<Cut> cuts = cut(shape, kernels);
    const std::size_t segment = std::max<std::size_t>(shape.segment_or_all(), 1);
    const auto segment_floats = [&](const Cut& panel) {
        return align_up(segment, kernels.panels(panel.kind).steps) * panel.width;
    };
    std::size_t weights = 0;
    std::size_t width = 0;
    for (const Cut& panel : cuts) {
        weights += shape.k_count / segment * segment_floats(panel);
        width += panel.width;
    }
    PackedWeights packed;
    packed.bytes_ = (weights + width) * sizeof(float);
    SLUICE_TRY_ASSIGN(auto memory,
                      runtime::allocate_packed(packed.bytes_, layout_of(shape, kernels, caller)));
    packed.storage_ = std::move(memory.bytes);
    packed.is_filled_ = memory.is_filled;

    float* const biases = packed.floats() + weights;
    if (!packed.is_filled_) {
        std::ranges::copy(bias, biases);
    }
    const float* next = packed.floats();
    std::size_t first = 0;
    for (const Cut& panel : cuts) {
        packed.panels_.push_back({
            .first_channel = first,
            .channels = std::min(panel.width, shape.n_count - first),
            .vectors = panel.vectors,
            .kind = panel.kind,
            .steps = kernels.panels(panel.kind).steps,
            .width = panel.width,
            .segment_floats = segment_floats(panel),
            .weights = next,
            .bias = biases + first,
        });
        next += shape.k_count / segment * segment_floats(panel);
        first += panel.width;
    }
    return packed;
}

void run_panel(const GemmKernels& kernels, const PackedWeights::Panel& panel,
               std::size_t first_segment, std::size_t pixels, GemmTile tile) {
    tile.weights = panel.weights + first_segment * panel.segment_floats;
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
    const GemmPanels& panels = kernels.panels(panel.kind);
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
