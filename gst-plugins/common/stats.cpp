// SPDX-License-Identifier: Apache-2.0
// Percentiles and the `stats` structure.
#include "gst-plugins/common/stats.h"

#include <algorithm>
#include <format>
#include <limits>
#include <string>
#include <vector>

namespace sluice::gst {

void LatencyWindow::add(std::chrono::steady_clock::duration duration) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    const std::lock_guard hold(lock_);
    us_[next_] = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(us, 0, std::numeric_limits<std::uint32_t>::max()));
    next_ = (next_ + 1) % kWindow;
    count_ = std::min(count_ + 1, kWindow);
}

LatencyWindow::Percentiles LatencyWindow::percentiles() const {
    std::vector<std::uint32_t> sorted;
    {
        const std::lock_guard hold(lock_);
        sorted.assign(us_.begin(), us_.begin() + static_cast<std::ptrdiff_t>(count_));
    }
    if (sorted.empty()) {
        return {};
    }
    std::ranges::sort(sorted);
    const auto rank = [&](std::size_t percent) -> std::uint64_t {
        return sorted[(sorted.size() * percent + 99) / 100 - 1];
    };
    return {.p50_us = rank(50), .p95_us = rank(95), .p99_us = rank(99)};
}

GstStructure* Stats::to_structure() const {
    const LatencyWindow::Percentiles us = latency.percentiles();
    GstStructure* out = gst_structure_new(
        "sluice-stats", "frames", G_TYPE_UINT64, frames.load(), "inferences", G_TYPE_UINT64,
        inferences.load(), "skipped-interval", G_TYPE_UINT64, skipped_interval.load(),
        "skipped-late", G_TYPE_UINT64, skipped_late.load(), "copied-bytes", G_TYPE_UINT64,
        copies.total_bytes(), "latency-p50-us", G_TYPE_UINT64, us.p50_us, "latency-p95-us",
        G_TYPE_UINT64, us.p95_us, "latency-p99-us", G_TYPE_UINT64, us.p99_us, nullptr);
    for (std::size_t i = 0; i < kCopyReasonCount; ++i) {
        const auto reason = static_cast<CopyReason>(i);
        const std::string field = std::format("copied-bytes-{}", name(reason));
        gst_structure_set(out, field.c_str(), G_TYPE_UINT64, copies.bytes(reason), nullptr);
    }
    return out;
}

} // namespace sluice::gst
