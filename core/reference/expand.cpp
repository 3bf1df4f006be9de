// SPDX-License-Identifier: Apache-2.0
// Broadcast to a larger shape.
#include "core/ops/expand.h"

#include <array>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_expand(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const std::array strides{broadcast_strides(x.shape(), y.shape()), graph::strides_of(y.shape())};
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(y.shape(), strides,
                           [&](const auto& at) { io.output<T>(0)[at[1]] = io.input<T>(0)[at[0]]; });
        });
    });
}

} // namespace sluice::reference
