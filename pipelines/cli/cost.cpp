// SPDX-License-Identifier: Apache-2.0
// Percentiles, and the process's own accounts.
#include "pipelines/cli/cost.h"

#include <algorithm>
#include <cmath>

#include <sys/resource.h>

namespace sluice::cli {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

} // namespace

double percentile(const std::vector<double>& sorted, double percent) {
    const auto count = static_cast<double>(sorted.size());
    const double rank = std::ceil(percent / 100.0 * count);
    const auto index = static_cast<std::size_t>(std::clamp(rank, 1.0, count)) - 1;
    return sorted[index];
}

std::uint64_t peak_rss_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace sluice::cli
