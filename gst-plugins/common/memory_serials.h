// SPDX-License-Identifier: Apache-2.0
// MemorySerials: names for plain memory, given once and never again, and word of its end.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gst/gst.h>

#include "zero_copy/external_frame.h"

namespace sluice::gst {

// What one element knows of the plain memories, and of those of our own pools, that came by. An
// address is no name, as the next allocation may have it; so a number is attached to the GstMemory
// itself, for all elements of the process, and goes with it. Memory may be freed by any thread, and
// after this object.
class MemorySerials {
public:
    MemorySerials();
    ~MemorySerials();
    MemorySerials(const MemorySerials&) = delete;
    MemorySerials& operator=(const MemorySerials&) = delete;

    // The number of the allocation that `memory` is, or is a part of. 0 for memory of another
    // allocator than GStreamer's own and our pools': how long its mapping lasts is not known.
    [[nodiscard]] std::uint64_t of(GstMemory* memory);
    // `forget(const MemoryIdentity&)` for the names of all memory that was asked for here and has
    // been freed since: its number, and the file of a pool's memory.
    template <typename Forget>
    void take_freed(Forget&& forget) {
        for (const zero_copy::MemoryIdentity& memory : take_freed()) {
            forget(memory);
        }
    }
    // Nothing is remembered under any number any more.
    void clear();

private:
    [[nodiscard]] const std::vector<zero_copy::MemoryIdentity>& take_freed();
    // The destroy notify of the names on a memory.
    static void end(gpointer names);

    // Guarded by the lock of all numbers.
    std::unordered_set<std::uint64_t> known_;
    std::vector<zero_copy::MemoryIdentity> freed_;

    std::vector<zero_copy::MemoryIdentity> taken_; // the streaming thread's
};

} // namespace sluice::gst
