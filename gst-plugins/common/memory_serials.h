// SPDX-License-Identifier: Apache-2.0
// MemorySerials: names for plain memory, given once and never again, and word of its end.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gst/gst.h>

namespace sluice::gst {

// What one element knows of the plain memories that came by. An address is no name, as the next
// allocation may have it; so a number is attached to the GstMemory itself, for all elements of the
// process, and goes with it. Memory may be freed by any thread, and after this object.
class MemorySerials {
public:
    MemorySerials();
    ~MemorySerials();
    MemorySerials(const MemorySerials&) = delete;
    MemorySerials& operator=(const MemorySerials&) = delete;

    // The number of the allocation that `memory` is, or is a part of. 0 for memory of another
    // allocator than GStreamer's own: how long its mapping lasts is not known.
    [[nodiscard]] std::uint64_t of(GstMemory* memory);
    // `forget(serial)` for each number that was asked for here and whose memory has been freed
    // since.
    template <typename Forget>
    void take_freed(Forget&& forget) {
        for (const std::uint64_t serial : take_freed()) {
            forget(serial);
        }
    }
    // Nothing is remembered under any number any more.
    void clear();

private:
    [[nodiscard]] const std::vector<std::uint64_t>& take_freed();
    // The destroy notify of the number on a memory.
    static void end(gpointer serial);

    // Guarded by the lock of all numbers.
    std::unordered_set<std::uint64_t> known_;
    std::vector<std::uint64_t> freed_;

    std::vector<std::uint64_t> taken_; // the streaming thread's
};

} // namespace sluice::gst
