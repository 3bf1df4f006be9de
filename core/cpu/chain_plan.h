// SPDX-License-Identifier: Apache-2.0
// The plan of a depth-first chain: which rows and columns of which picture are made when, and where
// they lie until they were read.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/cpu/chain.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/packed_weights.h"

namespace sluice::cpu {

// The source, or what a convolution makes of others. Row r lies in slot r % ring, a plane a
// channel.
struct ChainPicture {
    std::size_t channels = 0;
    // How far beyond a tile of the result, sideways, upwards and downwards, it has to be made.
    std::size_t beside = 0, above = 0, below = 0;
    // Rows that are alive at a time: as pixels, and as Winograd's points of their tiles.
    std::size_t ring = 1, point_ring = 0;
    std::size_t offset = 0, point_offset = 0; // of its planes, in planes of either
};

struct ChainStage {
    ConvShape shape{};
    std::vector<std::size_t> inputs; // pictures, joined channel behind channel
    std::size_t output = 0;
    // The second half of the output channels is the first, negated: what was written as a CReLU.
    bool is_mirrored = false;
    bool is_winograd = false; // F(2 x 4, 3 x 3): two rows at a time
    std::size_t sums = 0;     // output channels that are computed
    // By fours of sums: [kernel row][input channel][kernel column][sum], or for Winograd
    // as ChainProducts has them.
    AlignedFloats weights;
    AlignedFloats bias; // [sum]
};

struct ChainPlan {
    std::size_t height = 0, width = 0;
    std::vector<ChainPicture> pictures; // 0: the source; stage i makes picture i + 1
    std::vector<ChainStage> stages;
    std::size_t phases = 1; // of a row: kChainPhases where a stage is_winograd
    std::size_t rows = 1;   // that are made at a time: two there
    bool shuffles = false;
    std::size_t sum_channels = 0; // 0: nothing is enlarged and added
    std::size_t source_ring = 1;  // of the source's rows before they are dealt out to phases
    std::size_t planes = 0, point_planes = 0; // of all pictures' rings
    std::size_t products = 0;                 // the most output channels of a Winograd stage
    std::size_t beside = 0;                   // the largest
};

[[nodiscard]] Result<ChainPlan> plan_chain(const graph::Graph& graph, const Chain& chain);

} // namespace sluice::cpu
