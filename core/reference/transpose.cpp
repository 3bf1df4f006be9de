// SPDX-License-Identifier: Apache-2.0
// Permutation of the axes.
#include "core/ops/transpose.h"

#include <array>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_transpose(const graph::Graph& graph,
                                                         const graph::Node& node) {
    const auto& permutation = std::get<ops::Transpose>(node.attributes).permutation;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const Strides dense = graph::strides_of(x.shape());
    std::array walk{Strides{}, graph::strides_of(y.shape())};
    for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
        walk[0][axis] = dense[permutation[axis]];
    }
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(y.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(y.shape(), walk,
                           [&](const auto& at) { io.output<T>(0)[at[1]] = io.input<T>(0)[at[0]]; });
        });
    });
}

} // namespace sluice::reference
