// SPDX-License-Identifier: Apache-2.0
// Counts heap allocations of the whole process, by any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sluice::testing {

// False under sanitizers, which bring their own allocator.
[[nodiscard]] bool can_count_allocations();
// Calls of malloc, calloc, realloc and the aligned variants so far (operator new ends in them).
[[nodiscard]] std::uint64_t allocation_count();

// While it lives, allocations are told apart by who asked: those count whose first caller outside
// of the C and C++ libraries is the program itself or a loaded file whose name contains one of
// `files`. What GLib, GStreamer or a driver allocates on our behalf is theirs. Slow; one at a time.
class OwnAllocations {
public:
    // On threads of the process, all of them.
    explicit OwnAllocations(std::span<const char* const> files = {});
    ~OwnAllocations();
    OwnAllocations(const OwnAllocations&) = delete;
    OwnAllocations& operator=(const OwnAllocations&) = delete;

    // Counts from here on, until stop().
    void start();
    void stop();
    [[nodiscard]] std::uint64_t count() const;
    // All that were looked at, others' included: a witness that the counter sees anything.
    [[nodiscard]] std::uint64_t looked_at() const;
    // The callers of the first few: files and offsets for addr2line.
    [[nodiscard]] std::string describe() const;
};

} // namespace sluice::testing
