// SPDX-License-Identifier: Apache-2.0
// A chain at work: tile by tile, row by row through all of its stages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/checked_math.h"
#include "core/cpu/chain_kernel.h"
#include "core/cpu/chain_plan.h"
#include "core/cpu/chain_winograd_kernel.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

inline constexpr std::size_t kNotAnOutput = SIZE_MAX;

class ChainRun final : public runtime::Kernel {
public:
    // Which of the segment's outputs are what.
    struct Outputs {
        std::size_t result = kNotAnOutput, shuffled = kNotAnOutput, sum = kNotAnOutput;
    };
    // `cache_bytes`: see make_chain().
    ChainRun(ChainPlan plan, const Outputs& outputs, std::size_t cache_bytes);

    void run(const runtime::KernelIo& io) const override;
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override;

private:
    // Rows [top, bottom) and columns [left, right) of the result, and the rows it is made in.
    struct Tile {
        std::size_t top, bottom, left, right;
        std::size_t before; // columns of a row before `left`
        float* planes;      // of the pictures
        float* points;      // of the pictures
        float* products;    // of one stage
        float* zeros;       // the points of a row outside of the picture
        float* source;      // rows as they are read: [row][channel]
        float* result;      // a row as it is written: [channel]
        float* blended;     // an enlarged row of the source, [sum channel]
    };
    // Columns [begin, end) are made: `count` values of each phase from value `first` on, where a
    // vector lies.
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
    [[nodiscard]] std::size_t strip_rows(unsigned threads) const;
    [[nodiscard]] std::size_t scratch_floats() const {
        return (plan_.planes + plain_rows()) * plane_stride_ +
               (plan_.point_planes + 1) * points_stride_ + plan_.products * 2 * kChainRowPoints;
    }
    // Where a column lies in a row without phases: column `left` of the tile at the beginning of
    // four.
    [[nodiscard]] std::size_t place(const Tile& tile, std::size_t column) const {
        return column + tile.before - tile.left;
    }
    // ... and in one with phases.
    [[nodiscard]] std::size_t phase_place(std::size_t place) const {
        return plan_.phases == 1 ? place : place % kChainPhases * stride_ + place / kChainPhases;
    }
    [[nodiscard]] Columns columns(const Tile& tile, const ChainPicture& picture) const {
        const std::size_t begin = tile.left - std::min(tile.left, picture.beside);
        const std::size_t end = std::min(tile.right + picture.beside, plan_.width);
        const std::size_t values = place(tile, begin) / plan_.phases;
        const std::size_t first = values - values % kChainSlack;
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
        return plan_.phases == 1 ? plane(tile, plan_.pictures.back(), row, channel) + tile.before
                                 : tile.result + channel * plane_stride_;
    }

    void run_strip(const runtime::KernelIo& io, std::size_t top, std::size_t rows,
                   float* scratch) const;
    void run_tile(const runtime::KernelIo& io, const Tile& tile) const;
    void read_source(const runtime::KernelIo& io, const Tile& tile, std::size_t row) const;
    // Whether row `row` of a picture is needed for the tile.
    [[nodiscard]] bool is_needed(const Tile& tile, const ChainPicture& picture,
                                 std::ptrdiff_t row) const;
    // body(r) for each row r of those made at a time, from `row` on, that somebody needs.
    template <class Body>
    void for_needed(const Tile& tile, const ChainPicture& picture, std::ptrdiff_t row,
                    const Body& body) const {
        const std::ptrdiff_t end = row + static_cast<std::ptrdiff_t>(plan_.rows);
        for (; row < end; ++row) {
            if (is_needed(tile, picture, row)) {
                body(static_cast<std::size_t>(row));
            }
        }
    }
    // Those rows.
    void run_stage(const Tile& tile, const ChainStage& stage, std::ptrdiff_t row) const;
    // What is left to do for a row that a stage has summed.
    void finish_row(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    void convolve(const Tile& tile, const ChainStage& stage, std::size_t row) const;
    // To all output channels, `at` floats into their planes; `conv` names what is read.
    void run_conv(const Tile& tile, const ChainStage& stage, std::size_t row, ChainConvRow conv,
                  std::size_t first_plane, std::size_t at) const;
    // Rows `row` and row + 1; either may lie outside of the picture.
    void convolve_winograd(const Tile& tile, const ChainStage& stage, std::ptrdiff_t row) const;
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
    std::size_t first_before_ = 0, before_ = 0; // columns of a row before those of a tile
    std::size_t tile_width_ = 0;
    std::size_t stride_ = 0; // floats of a phase, and of a point
    std::size_t plane_stride_ = 0, points_stride_ = 0;
};

} // namespace sluice::cpu
