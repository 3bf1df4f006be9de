// SPDX-License-Identifier: Apache-2.0
// The machine's own limits, measured: what any kernel could reach at best.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/result.h"

namespace sluice::cpu {

// The memory that reading a buffer of this size comes from.
struct ReadRate {
    std::size_t buffer_bytes = 0; // of each thread
    double gigabytes_per_second = 0.0;
};

struct MachineLimits {
    unsigned threads = 1;
    double float_gflops = 0.0;   // fused multiply-adds of fp32, two operations each
    double int8_gops = 0.0;      // products of bytes summed in 32 bits, two operations each
    std::vector<ReadRate> reads; // half of the first-level cache, the second, the last, memory
};

// The best of several short measurements, a second in all; other work on the machine lowers them.
// OutOfMemory if the largest buffer (four times the last cache, for each thread) is too much.
[[nodiscard]] Result<MachineLimits> measure_limits(unsigned threads);

// The first figure alone, within a fifth of a second. `threads` >= 1.
[[nodiscard]] double peak_float_gflops(unsigned threads);

} // namespace sluice::cpu
