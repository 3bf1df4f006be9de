// SPDX-License-Identifier: Apache-2.0
// What gathers and scatters share: words by element size, and coordinates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/vulkan/any_type.h"
#include "core/vulkan/steps.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

// The kernel that moves elements of that size.
[[nodiscard]] constexpr Shader by_size(std::size_t element_bytes, Shader words8, Shader words16,
                                       Shader words32, Shader words64) {
    switch (element_bytes) {
    case 1: return words8;
    case 2: return words16;
    case 4: return words32;
    default: return words64;
    }
}

// An axis of a dense tensor as gathers and scatters walk it.
struct IndexedAxis {
    std::uint32_t size = 1;  // of the axis
    std::uint32_t block = 1; // elements behind it
};
[[nodiscard]] inline IndexedAxis indexed_axis(const graph::Shape& shape, std::size_t axis) {
    return {.size = shape[axis],
            .block = static_cast<std::uint32_t>(graph::strides_of(shape)[axis])};
}

// gather.comp: `picks` indices of an axis; where `each`, an index for every element of the output.
inline void write_gather(StepWriter& writer, const graph::Node& node, std::size_t axis,
                         std::uint32_t picks, bool each) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const IndexedAxis indexed = indexed_axis(x.shape(), axis);
    struct {
        std::uint32_t count, size, block, picks;
    } const push{.count = static_cast<std::uint32_t>(graph.desc(node.outputs[0]).element_count()),
                 .size = indexed.size,
                 .block = indexed.block,
                 .picks = picks};
    writer.dispatch(
        {.shader = by_size(graph::size_of(x.type()), Shader::Gather8, Shader::Gather16,
                           Shader::Gather32, Shader::Gather64),
         .constants = {type_constant(graph.desc(node.inputs[1]).type()), std::uint32_t{each}},
         .buffers = {{writer.region(node.inputs[0]), Access::Read},
                     {writer.region(node.inputs[1]), Access::Read},
                     {writer.region(node.outputs[0]), Access::Write}},
         .push = to_push(push),
         .groups = line_of(push.count, 64, writer.context().profile)});
}

// Coordinates along the last axis of an index tensor that name blocks of another one
// (gather_nd.comp, scatter_nd.comp).
struct CoordinatePush {
    std::uint32_t count = 0; // of the output's elements or of the tuples
    std::uint32_t block = 1; // elements that one tuple names
    std::uint32_t axes = 1;  // coordinates of a tuple
    std::array<std::uint32_t, graph::kMaxRank> shape{};
    std::array<std::uint32_t, graph::kMaxRank> strides{};
};
[[nodiscard]] inline CoordinatePush
coordinates_of(const graph::Shape& indices, const graph::Shape& tensor, std::uint32_t count) {
    CoordinatePush push{.count = count, .axes = indices[indices.rank() - 1]};
    const auto dense = graph::strides_of(tensor);
    for (std::size_t axis = 0; axis < tensor.rank(); ++axis) {
        push.shape[axis] = tensor[axis];
        push.strides[axis] = static_cast<std::uint32_t>(dense[axis]);
        push.block *= axis < push.axes ? 1 : tensor[axis];
    }
    return push;
}

} // namespace sluice::vulkan
