// SPDX-License-Identifier: Apache-2.0
// Descriptors for graphs made by hand.
#pragma once

#include "core/graph/tensor_desc.h"

namespace sluice::graph {

inline TensorDesc f32(const Shape& shape) {
    return *TensorDesc::create(DataType::Float32, shape);
}

} // namespace sluice::graph
