// SPDX-License-Identifier: Apache-2.0
// One element of an axis for every index.
#include "core/ops/gather_elements.h"

#include <array>
#include <variant>

#include "core/reference/indices.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_gather_elements(const graph::Graph& graph,
                                                               const graph::Node& node) {
    const auto axis = std::get<ops::GatherElements>(node.attributes).axis;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc indices = graph.desc(node.inputs[1]);
    const std::uint32_t size = x.shape()[axis];
    Strides strides = graph::strides_of(x.shape());
    const std::size_t step = strides[axis];
    strides[axis] = 0; // the index says where on the axis
    const std::array walk{strides, graph::strides_of(indices.shape())};
    return make_kernel([=, type = x.type()](const runtime::KernelIo& io) {
        visit_size(type, [&]<typename T>(std::type_identity<T>) {
            for_each_index(indices.shape(), walk, [&](const auto& at) {
                const std::size_t from = read_index(indices.type(), io.inputs[1], at[1], size);
                io.output<T>(0)[at[1]] = io.input<T>(0)[at[0] + from * step];
            });
        });
    });
}

} // namespace sluice::reference
