// SPDX-License-Identifier: Apache-2.0
// Arithmetic of SAME and VALID padding.
#include "models/loaders/tensorflow/window.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/result.h"

namespace sluice::models::tensorflow {

Result<std::array<std::uint32_t, 2>> padding_of(Padding padding, std::uint32_t input,
                                                const Window& window) {
    if (padding == Padding::Valid) {
        return std::array<std::uint32_t, 2>{0, 0};
    }
    // 64 bits hold the product of any two 32-bit numbers.
    const std::uint64_t extent = (std::uint64_t{window.size} - 1) * window.dilation + 1;
    const std::uint64_t steps = (std::uint64_t{input} + window.stride - 1) / window.stride;
    const std::uint64_t covered = (steps - 1) * window.stride + extent;
    const std::uint64_t total = covered - std::min<std::uint64_t>(covered, input);
    if (total > 0x7FFFFFFF) {
        return fail(ErrorCode::Parse, "a window of {} with dilation {} over {} elements",
                    window.size, window.dilation, input);
    }
    return std::array{static_cast<std::uint32_t>(total / 2),
                      static_cast<std::uint32_t>(total - total / 2)};
}

} // namespace sluice::models::tensorflow
