// SPDX-License-Identifier: Apache-2.0
// Indices that count from either end of an axis and are clamped to it, for gathers and scatters.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/reference/tensor_access.h"

namespace sluice::reference {

// The element that index `i` of an int32, uint32 or int64 tensor means on an axis of `size`
// elements: negative ones count from the end, those out of range become the first or the last.
[[nodiscard]] inline std::size_t read_index(graph::DataType type, const std::byte* indices,
                                            std::size_t i, std::uint32_t size) {
    std::int64_t value = 0;
    if (type == graph::DataType::Int64) {
        value = reinterpret_cast<const std::int64_t*>(indices)[i];
    } else if (type == graph::DataType::Uint32) {
        value = reinterpret_cast<const std::uint32_t*>(indices)[i];
    } else {
        value = reinterpret_cast<const std::int32_t*>(indices)[i];
    }
    const std::int64_t end = size;
    const std::int64_t within = std::clamp(value, -end, end - 1);
    return static_cast<std::size_t>(within < 0 ? within + end : within);
}

// Coordinates along the last axis of an index tensor that name a block of another tensor: a single
// element, or all that its remaining axes hold.
struct Coordinates {
    graph::DataType type; // of the indices
    std::size_t count;    // index tuples
    std::size_t axes;     // length of a tuple
    std::size_t block;    // elements of a block
    graph::Shape shape;   // of the tensor
    Strides strides;

    // Where block `tuple` starts.
    [[nodiscard]] std::size_t offset(const std::byte* indices, std::size_t tuple) const {
        std::size_t at = 0;
        for (std::size_t axis = 0; axis < axes; ++axis) {
            at += read_index(type, indices, tuple * axes + axis, shape[axis]) * strides[axis];
        }
        return at;
    }
};

[[nodiscard]] inline Coordinates coordinates_of(const graph::TensorDesc& indices,
                                                const graph::TensorDesc& tensor) {
    const std::size_t axes = indices.shape()[indices.rank() - 1];
    Coordinates out{.type = indices.type(),
                    .count = indices.element_count() / axes,
                    .axes = axes,
                    .block = 1,
                    .shape = tensor.shape(),
                    .strides = graph::strides_of(tensor.shape())};
    for (std::size_t axis = axes; axis < tensor.rank(); ++axis) {
        out.block *= tensor.shape()[axis];
    }
    return out;
}

} // namespace sluice::reference
