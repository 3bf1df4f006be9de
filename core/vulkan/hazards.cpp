// SPDX-License-Identifier: Apache-2.0
// Comparison of ranges and images.
#include "core/vulkan/hazards.h"

#include <algorithm>

namespace sluice::vulkan {

namespace {

bool overlap(const Hazards::Touched& a, const Hazards::Touched& b) {
    if (a.image != b.image || a.range.buffer != b.range.buffer) {
        return false;
    }
    return a.image != VK_NULL_HANDLE || (a.range.offset < b.range.offset + b.range.bytes &&
                                         b.range.offset < a.range.offset + a.range.bytes);
}

} // namespace

bool Hazards::conflicts(const Touched& next) const {
    return std::ranges::any_of(since_, [&](const Touched& earlier) {
        return (earlier.writes || next.writes) && overlap(earlier, next);
    });
}

} // namespace sluice::vulkan
