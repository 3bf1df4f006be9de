// SPDX-License-Identifier: Apache-2.0
// Copies of a tensor side by side.
#include "core/ops/tile.h"

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_tile(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const Strides strides = graph::strides_of(x.shape());
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            for (std::size_t i = 0; i < y.element_count(); ++i) {
                std::size_t rest = i;
                std::size_t from = 0;
                for (std::size_t axis = y.rank(); axis-- > 0;) {
                    from += rest % y.shape()[axis] % x.shape()[axis] * strides[axis];
                    rest /= y.shape()[axis];
                }
                io.output<T>(0)[i] = io.input<T>(0)[from];
            }
        });
    });
}

} // namespace sluice::reference
