// SPDX-License-Identifier: Apache-2.0
// Hazards: whether a barrier is needed before the next command, from what was touched since the
// last one. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "core/vulkan/api.h"
#include "core/vulkan/memory.h"

namespace sluice::vulkan {

class Hazards {
public:
    // Something that commands touch: a range of a buffer, or a whole image.
    struct Touched {
        BufferRange range; // of no buffer: an image
        VkImage image = VK_NULL_HANDLE;
        bool reads = false;
        bool writes = false;
    };

    // Whether `next` reads or writes what was written since the last barrier, or writes what was
    // read.
    [[nodiscard]] bool conflicts(const Touched& next) const;
    void add(const Touched& touched) { since_.push_back(touched); }
    // There was a barrier.
    void clear() { since_.clear(); }

private:
    std::vector<Touched> since_;
};

} // namespace sluice::vulkan
