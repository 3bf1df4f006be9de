// SPDX-License-Identifier: Apache-2.0
// What an element counts: frames, inferences, skips, copied bytes, latency.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <gst/gst.h>

#include "core/base/copy_ledger.h"

namespace sluice::gst {

// The last kWindow durations. Thread-safe; add() allocates nothing.
class LatencyWindow {
public:
    static constexpr std::size_t kWindow = 1024;
    struct Percentiles {
        std::uint64_t p50_us = 0;
        std::uint64_t p95_us = 0;
        std::uint64_t p99_us = 0;
    };

    void add(std::chrono::steady_clock::duration duration);
    // By nearest rank: the smallest duration that at least p % of the window do not exceed. Zeros
    // before the first add().
    [[nodiscard]] Percentiles percentiles() const;

private:
    mutable std::mutex lock_; // guards what follows
    std::array<std::uint32_t, kWindow> us_{};
    std::size_t next_ = 0;
    std::size_t count_ = 0;
};

// Counts since the element was made. Written by the streaming thread, read by anyone.
struct Stats {
    std::atomic<std::uint64_t> frames = 0;
    std::atomic<std::uint64_t> inferences = 0;
    std::atomic<std::uint64_t> skipped_interval = 0; // left out by `inference-interval`
    std::atomic<std::uint64_t> skipped_late = 0;     // left out because downstream was late
    CopyLedger copies;
    LatencyWindow latency;

    // A structure "sluice-stats" with the fields frames, inferences, skipped-interval,
    // skipped-late, copied-bytes, copied-bytes-<reason> (uint64) and latency-p50-us, -p95-us,
    // -p99-us (uint64). Transfer full.
    [[nodiscard]] GstStructure* to_structure() const;
};

} // namespace sluice::gst
