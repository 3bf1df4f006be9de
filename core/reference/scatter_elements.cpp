// SPDX-License-Identifier: Apache-2.0
// A copy in which single elements of an axis are replaced.
#include "core/ops/scatter_elements.h"

#include <algorithm>
#include <array>
#include <variant>

#include "core/reference/indices.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_scatter_elements(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto axis = std::get<ops::ScatterElements>(node.attributes).axis;
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc indices = graph.desc(node.inputs[1]);
    const std::uint32_t size = x.shape()[axis];
    Strides strides = graph::strides_of(x.shape());
    const std::size_t step = strides[axis];
    strides[axis] = 0; // the index says where on the axis
    const std::array walk{strides, graph::strides_of(indices.shape())};
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            std::copy_n(io.input<T>(0), x.element_count(), io.output<T>(0));
            for_each_index(indices.shape(), walk, [&](const auto& at) {
                const std::size_t to = read_index(indices.type(), io.inputs[1], at[1], size);
                io.output<T>(0)[at[0] + to * step] = io.input<T>(2)[at[1]];
            });
        });
    });
}

} // namespace sluice::reference
