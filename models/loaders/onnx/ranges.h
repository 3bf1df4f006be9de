// SPDX-License-Identifier: Apache-2.0
// Index arithmetic that mappings and evaluators share.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using Dims = std::vector<std::int64_t>;

// What Slice takes of one dimension: `count` elements from `start`, each `step` after the one
// before.
struct SliceRange {
    std::int64_t start = 0;
    std::int64_t count = 0;
    std::int64_t step = 1;
};
// A range for each dimension, from the attributes of version 1 or the inputs of the later ones.
[[nodiscard]] Result<std::vector<SliceRange>> slice_ranges(Operation& op, const Dims& dims);

// The dimensions that Reshape asks for, 0 and -1 resolved.
[[nodiscard]] Result<Dims> reshaped_dims(Operation& op, const Dims& dims);
// Squeeze and Unsqueeze.
[[nodiscard]] Result<Dims> squeezed_dims(Operation& op, const Dims& dims);
[[nodiscard]] Result<Dims> unsqueezed_dims(Operation& op, const Dims& dims);
// The sizes of Split's pieces along `axis`.
[[nodiscard]] Result<Dims> split_sizes(Operation& op, std::int64_t dim);
// The permutation of Transpose: the axes reversed where none is given.
[[nodiscard]] Result<std::vector<std::uint32_t>> permutation(Operation& op, std::size_t rank);

// The dimensions of two tensors broadcast against each other.
[[nodiscard]] Result<Dims> broadcast_dims(const Dims& a, const Dims& b);
// Row-major strides; 0 where a dimension of 1 is broadcast over `rank` dimensions, aligned right.
[[nodiscard]] std::vector<std::size_t> broadcast_strides(const Dims& dims, std::size_t rank);
// Calls visit(index) for every index of a tensor of these dimensions in row-major order.
void for_each_index(const Dims& dims,
                    const std::function<void(std::span<const std::int64_t>)>& visit);

} // namespace sluice::models::onnx
