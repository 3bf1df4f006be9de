// SPDX-License-Identifier: Apache-2.0
// What a run costs: time and memory.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::cli {

// The smallest sample that at least `percent` of them do not exceed (nearest rank). `sorted` is
// sorted and not empty.
[[nodiscard]] double percentile(const std::vector<double>& sorted, double percent);

// Of the process.
[[nodiscard]] std::uint64_t peak_rss_bytes();
[[nodiscard]] double cpu_seconds();

} // namespace sluice::cli
