// SPDX-License-Identifier: Apache-2.0
// The machine's caches, as the operating system tells.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::cpu {

// Of one core's second-level cache; a usual size where the system does not know.
[[nodiscard]] std::size_t l2_cache_bytes();

// One processor's part of the third-level cache, which it shares; 0 where there is none, or the
// system does not know.
[[nodiscard]] std::size_t l3_cache_bytes_per_processor();

// Of a list of processors as Linux writes them, "0-3,8": how many those are; 0 if it is none.
[[nodiscard]] std::size_t count_processors(std::string_view list);

} // namespace sluice::cpu
