// SPDX-License-Identifier: Apache-2.0
// The memory plan: where in one arena every tensor lives, tensors that are never alive together
// sharing bytes. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::runtime {

// A tensor alive from step `first` to step `last`, both included.
struct TensorLife {
    std::size_t bytes = 0;
    std::size_t first = 0;
    std::size_t last = 0;
};

struct MemoryPlan {
    std::vector<std::size_t> offsets; // one per tensor, aligned
    std::size_t arena_bytes = 0;
    std::size_t unshared_bytes = 0; // what the tensors would take without sharing
};

// Greedy by size, best fitting gap (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural
// Net Inference", 2020): large tensors first, each into the smallest gap between those already
// placed whose lives overlap its own. `alignment` is a power of two.
[[nodiscard]] MemoryPlan plan_memory(std::span<const TensorLife> lives, std::size_t alignment);

} // namespace sluice::runtime
