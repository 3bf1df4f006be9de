// SPDX-License-Identifier: Apache-2.0
// Views: results that are a part of another tensor's bytes, so that nobody has to copy them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/graph/graph.h"
#include "core/runtime/partition.h"

namespace sluice::runtime {

// A node that only renames bytes is no step:
// - reshape: its result is what it reads, under another shape;
// - slice and split: their results lie inside what they read, where they are one run of bytes;
// - concat: what it joins is made inside its result, where each piece is one run of bytes.
// Parts begin at multiples of kTensorAlignment, as kernels want it; what does not fit is copied. A
// graph's inputs and constants keep memory of their own, and so do its outputs, except that pieces
// may be made inside an output. Graphs that a device has a share in get only the reshapes: a
// device's tensors lie where it says.
struct Views {
    std::vector<graph::OperandId> roots;     // by operand: the operand that owns the memory
    std::vector<std::size_t> offsets;        // by operand: where it begins in its root, in bytes
    std::vector<std::uint8_t> moves_nothing; // by node: whether all its results are views
    std::uint64_t copied_bytes =
        0; // that the nodes of these kinds still copy in a run, by themselves
};

// `runs` by node: 1 where the backend runs it alone.
[[nodiscard]] Views find_views(const graph::Graph& graph, std::span<const Assignment> assignments,
                               std::span<const std::size_t> runs);

} // namespace sluice::runtime
