// SPDX-License-Identifier: Apache-2.0
// Counts heap allocations of the whole process, by any thread.
#pragma once

#include <cstdint>

namespace sluice::testing {

// False under sanitizers, which bring their own allocator.
[[nodiscard]] bool can_count_allocations();
// Calls of malloc, calloc, realloc and the aligned variants so far (operator new ends in them).
[[nodiscard]] std::uint64_t allocation_count();

} // namespace sluice::testing
