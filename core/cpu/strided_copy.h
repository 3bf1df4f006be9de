// SPDX-License-Identifier: Apache-2.0
// Moving elements between strided tensors: what slice, transpose, concat and split come down to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/graph/tensor_desc.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {

// Copies `count` rows of `row_bytes` bytes; strides are in bytes.
void copy_rows(std::byte* to, std::size_t to_stride, const std::byte* from, std::size_t from_stride,
               std::size_t row_bytes, std::size_t count);

// A copy of one tensor's elements to the places of another's, planned once.
class StridedCopy {
public:
    using Strides = std::array<std::size_t, graph::kMaxRank>; // in elements

    // Element [i, j, ...] of `shape` goes from from_strides . [i, j, ...] to to_strides . [...].
    StridedCopy(const graph::Shape& shape, const Strides& from_strides, const Strides& to_strides,
                std::size_t element_bytes);

    void run(std::byte* to, const std::byte* from, runtime::ThreadPool& threads) const;

private:
    struct Axis {
        std::size_t size, from_stride, to_stride; // strides in bytes
    };
    void run_range(std::byte* to, const std::byte* from, std::size_t begin, std::size_t end) const;

    // Outermost first; axes that lie behind each other in both tensors are one axis.
    std::array<Axis, graph::kMaxRank> axes_{};
    std::size_t rank_ = 0;
    Axis inner_{1, 0, 0};   // the innermost axis: rows
    std::size_t row_bytes_; // contiguous in both tensors
    std::size_t outer_count_ = 1;
};

} // namespace sluice::cpu
