// SPDX-License-Identifier: Apache-2.0
// How a kernel's work is divided among threads: a cost model in floating-point operations.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/base/checked_math.h"

namespace sluice::cpu {

// Waking a worker costs a few microseconds; below this many operations (about 20 microseconds of
// one core) an operator stays on its caller, and no chunk gets less than a quarter of it.
inline constexpr double kMinForkFlops = 1e6;

// Items [chunk * grain, (chunk + 1) * grain) are one call of the body.
struct Partition {
    std::size_t grain;
    std::size_t chunks;
};

// `count` items of `flops_per_item` each. With several threads, a few chunks per thread where the
// work is large enough: a thread that was preempted then loses little.
[[nodiscard]] inline Partition partition(std::size_t count, double flops_per_item,
                                         unsigned threads) {
    const double total = flops_per_item * static_cast<double>(count);
    if (threads <= 1 || count <= 1 || total < kMinForkFlops) {
        return {.grain = std::max<std::size_t>(count, 1), .chunks = 1};
    }
    const auto affordable = static_cast<std::size_t>(total / (kMinForkFlops / 4));
    const std::size_t wanted =
        std::clamp<std::size_t>(affordable, threads, std::size_t{4} * threads);
    const std::size_t grain = div_ceil(count, std::min(count, wanted));
    return {.grain = grain, .chunks = div_ceil(count, grain)};
}

} // namespace sluice::cpu
