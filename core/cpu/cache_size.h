// SPDX-License-Identifier: Apache-2.0
// The machine's caches, as the operating system tells.
#pragma once

#include <cstddef>

#include <unistd.h>

namespace sluice::cpu {

// Of one core's second-level cache; a usual size where the system does not know.
[[nodiscard]] inline std::size_t l2_cache_bytes() {
    constexpr std::size_t kUsual = std::size_t{512} << 10U;
#ifdef _SC_LEVEL2_CACHE_SIZE
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : kUsual;
#else
    return kUsual;
#endif
}

} // namespace sluice::cpu
