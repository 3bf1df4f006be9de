// SPDX-License-Identifier: Apache-2.0
// Sparse TFLite tensors: compressed levels in, dense bytes out.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

// Expands `values` (the stored elements in traversal order) to a dense tensor of `desc`, zero
// elsewhere. The levels follow the TACO scheme: each is dense or compressed rows, in any order of
// the dimensions, the last ones may be blocks. The caller has accounted for desc.byte_size().
[[nodiscard]] Result<std::vector<std::byte>> densify(std::span<const std::byte> values,
                                                     const graph::TensorDesc& desc,
                                                     const schema::SparsityParameters& sparsity);

} // namespace sluice::models::tflite
