// SPDX-License-Identifier: Apache-2.0
// Greedy-by-size placement of tensors in an arena.
#include "core/runtime/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/checked_math.h"

namespace sluice::runtime {

namespace {

bool overlap(const TensorLife& a, const TensorLife& b) {
    return a.first <= b.last && b.first <= a.last;
}

// The lowest offset of the smallest gap that holds `bytes`, between neighbours sorted by offset.
std::size_t best_gap(std::span<const std::pair<std::size_t, std::size_t>> taken,
                     std::size_t bytes) {
    std::size_t best_offset = 0;
    std::size_t best_size = std::numeric_limits<std::size_t>::max();
    std::size_t end = 0;
    for (const auto& [offset, size] : taken) {
        if (offset > end && offset - end >= bytes && offset - end < best_size) {
            best_size = offset - end;
            best_offset = end;
        }
        end = std::max(end, offset + size);
    }
    return best_size == std::numeric_limits<std::size_t>::max() ? end : best_offset;
}

} // namespace

MemoryPlan plan_memory(std::span<const TensorLife> lives, std::size_t alignment) {
    MemoryPlan plan;
    plan.offsets.resize(lives.size());
    std::vector<std::size_t> order(lives.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return lives[a].bytes > lives[b].bytes; });

    std::vector<std::size_t> placed;
    std::vector<std::pair<std::size_t, std::size_t>> taken; // offset and size of the neighbours
    for (const std::size_t i : order) {
        const std::size_t bytes = align_up(lives[i].bytes, alignment);
        taken.clear();
        for (const std::size_t other : placed) {
            if (overlap(lives[i], lives[other])) {
                taken.emplace_back(plan.offsets[other], align_up(lives[other].bytes, alignment));
            }
        }
        std::ranges::sort(taken);
        plan.offsets[i] = best_gap(taken, bytes);
        plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + bytes);
        plan.unshared_bytes += bytes;
        placed.push_back(i);
    }
    return plan;
}

} // namespace sluice::runtime
