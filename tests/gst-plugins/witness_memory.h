// SPDX-License-Identifier: Apache-2.0
// WitnessMemory: memory that remembers how it was mapped.
#pragma once

#include <cstddef>
#include <cstdint>

#include <gst/gst.h>

#include "gst-plugins/common/ref.h"

namespace sluice::testing {

// One GstMemory of an allocator of its own, filled with a buffer's bytes.
class WitnessMemory {
public:
    explicit WitnessMemory(GstBuffer* content);
    ~WitnessMemory();
    WitnessMemory(const WitnessMemory&) = delete;
    WitnessMemory& operator=(const WitnessMemory&) = delete;

    // A new buffer that holds the memory.
    [[nodiscard]] gst::Ref<GstBuffer> make_buffer() const;
    [[nodiscard]] GstMemory* memory() const { return memory_; }
    [[nodiscard]] const guint8* data() const;
    void forget() const;
    [[nodiscard]] std::size_t reads() const;
    [[nodiscard]] std::size_t writes() const;
    [[nodiscard]] std::size_t copies() const;

private:
    GstAllocator* allocator_;
    GstMemory* memory_;
};

} // namespace sluice::testing
