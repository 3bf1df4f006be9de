// SPDX-License-Identifier: Apache-2.0
// Which block of a tensor an element lies in, for the scales of quantisation.
#pragma once

#include <cstddef>

#include "core/reference/tensor_access.h"

namespace sluice::reference {

// Where the scale of x's element `flat` lies: each index is divided by the size of a block.
[[nodiscard]] inline std::size_t block_of(std::size_t flat, const graph::Shape& x,
                                          const graph::Shape& scale) {
    const Strides strides = graph::strides_of(scale);
    std::size_t offset = 0;
    for (std::size_t axis = x.rank(); axis-- > 0;) {
        const std::size_t index = flat % x[axis];
        flat /= x[axis];
        offset += index / (x[axis] / scale[axis]) * strides[axis];
    }
    return offset;
}

} // namespace sluice::reference
