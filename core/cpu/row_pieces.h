// SPDX-License-Identifier: Apache-2.0
// Rows made of pieces that come from or go to different tensors: concat and split.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/graph/graph.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {

class RowPieces {
public:
    // `whole` is cut along `axis` into `pieces`.
    RowPieces(const graph::Graph& graph, graph::OperandId whole,
              std::span<const graph::OperandId> pieces, std::size_t axis) {
        const graph::TensorDesc& desc = graph.desc(whole);
        for (std::size_t i = 0; i < axis; ++i) {
            rows_ *= desc.shape()[i];
        }
        for (const graph::OperandId id : pieces) {
            piece_bytes_.push_back(graph.desc(id).byte_size() / rows_);
        }
        row_bytes_ = desc.byte_size() / rows_;
    }

    // Calls move(offset_in_whole, piece, offset_in_piece, count) for `count` rows of one piece.
    // Block by block, so that the rows are still near when their next piece comes.
    template <typename Move>
    void run(runtime::ThreadPool& threads, const Move& move) const {
        constexpr std::size_t kBlockBytes = 16384; // half of a first-level cache
        const std::size_t block = std::max<std::size_t>(1, kBlockBytes / row_bytes_);
        const std::size_t grain =
            std::max<std::size_t>(1, kGrainElements * sizeof(float) / row_bytes_);
        threads.parallel_for(rows_, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; row += block) {
                std::size_t offset = row * row_bytes_;
                for (std::size_t i = 0; i < piece_bytes_.size(); ++i) {
                    move(offset, i, row * piece_bytes_[i], std::min(block, end - row));
                    offset += piece_bytes_[i];
                }
            }
        });
    }

    [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
    [[nodiscard]] std::size_t piece_bytes(std::size_t i) const { return piece_bytes_[i]; }

private:
    std::size_t rows_ = 1;
    std::size_t row_bytes_ = 0;
    std::vector<std::size_t> piece_bytes_; // of one row of each piece
};

} // namespace sluice::cpu
