// SPDX-License-Identifier: Apache-2.0
// Numbers that a person gives, as the bytes of a tensor.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::models {

// One number for each element, or one for all. InvalidArgument: another count, or a number that the
// type cannot hold; floats are rounded to the nearest.
[[nodiscard]] Result<std::vector<std::byte>> tensor_of_numbers(const graph::TensorDesc& desc,
                                                               std::span<const double> numbers);

} // namespace sluice::models
