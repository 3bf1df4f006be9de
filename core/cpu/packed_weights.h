// SPDX-License-Identifier: Apache-2.0
// Constant matrices in the order in which the tile kernels read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <source_location>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "core/base/result.h"
#include "core/cpu/gemm_kernel.h"

namespace sluice::cpu {

// Floats on a cache line boundary; never null after a successful allocate().
using AlignedFloats = hwy::AlignedFreeUniquePtr<float[]>;
[[nodiscard]] Result<AlignedFloats> allocate_floats(std::size_t count);

// What is packed: K x N values.
struct PackedShape {
    std::size_t k_count, n_count;
    // Tiles' segments are so long; k_count is a multiple of it. 0: there is one.
    std::size_t segment_length = 0;
    bool is_plain = false; // panels are [k][width], for somebody who fills them himself
    [[nodiscard]] std::size_t segment_or_all() const {
        return segment_length == 0 ? k_count : segment_length;
    }
};

// A K x N matrix and a bias of N, cut into panels of 1..kMaxPanelVectors vectors of columns; the
// last panel is padded with zeros, and of the kind that leaves least of its vectors empty.
class PackedWeights {
public:
    struct Panel {
        std::size_t first_channel;
        std::size_t channels; // without the padding
        std::size_t vectors;
        PanelKind kind;
        std::size_t steps;          // GemmPanels::steps
        std::size_t width;          // columns of all vectors
        std::size_t segment_floats; // from a segment to the next
        const float* weights;       // [segment][k / steps][width][k % steps]
        const float* bias;          // [width]
    };

    // `at(k, n)` gives the matrix; `bias` has N values, or none for zeros. Neither is asked for
    // where an earlier process packed the same (packed_cache.h); `caller` tells kernels apart
    // there.
    template <typename At>
    [[nodiscard]] static Result<PackedWeights>
    pack(const PackedShape& shape, std::span<const float> bias, At&& at,
         std::source_location caller = std::source_location::current()) {
        SLUICE_TRY_ASSIGN(PackedWeights packed, create(shape, bias, caller));
        if (packed.is_filled_) {
            return packed;
        }
        for (const Panel& panel : packed.panels_) {
            float* const to = packed.floats() + (panel.weights - packed.floats());
            const std::size_t segment = std::max<std::size_t>(shape.segment_or_all(), 1);
            for (std::size_t k = 0; k < shape.k_count; ++k) {
                float* const row = to + k / segment * panel.segment_floats +
                                   k % segment / panel.steps * panel.width * panel.steps +
                                   k % segment % panel.steps;
                for (std::size_t n = 0; n < panel.channels; ++n) {
                    row[n * panel.steps] = at(k, panel.first_channel + n);
                }
            }
        }
        return packed;
    }

    [[nodiscard]] std::span<const Panel> panels() const { return panels_; }
    [[nodiscard]] std::size_t byte_size() const { return bytes_; }

private:
    // Everything but the weights, which are zero, or there already.
    [[nodiscard]] static Result<PackedWeights> create(const PackedShape& shape,
                                                      std::span<const float> bias,
                                                      const std::source_location& caller);

    [[nodiscard]] float* floats() const { return reinterpret_cast<float*>(storage_.get()); }

    std::shared_ptr<std::byte> storage_;
    bool is_filled_ = false; // by an earlier process: read-only
    std::vector<Panel> panels_;
    std::size_t bytes_ = 0;
};

// Runs `pixels` rows of one panel from segment `first_segment` on: tile.input, base, offsets,
// segments, strides, residual, output and activation describe the first row and channel
// `first_channel`; the rest is filled in here.
void run_panel(const GemmKernels& kernels, const PackedWeights::Panel& panel,
               std::size_t first_segment, std::size_t pixels, GemmTile tile);

} // namespace sluice::cpu
