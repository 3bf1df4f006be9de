// SPDX-License-Identifier: Apache-2.0
// TensorFlow's SAME and VALID padding of sliding windows as explicit numbers.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/result.h"

namespace sluice::models::tensorflow {

enum class Padding : std::uint8_t { Same, Valid };

// A window that slides over one axis; all numbers are positive.
struct Window {
    std::uint32_t size;
    std::uint32_t stride;
    std::uint32_t dilation;
};

// Elements added before and after the axis. SAME makes ceil(input / stride) steps and puts the odd
// element behind; VALID adds none.
[[nodiscard]] Result<std::array<std::uint32_t, 2>> padding_of(Padding padding, std::uint32_t input,
                                                              const Window& window);

} // namespace sluice::models::tensorflow
