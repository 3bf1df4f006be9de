// SPDX-License-Identifier: Apache-2.0
// The order of elements turned round on some axes.
#include "core/ops/reverse.h"

#include <array>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_reverse(const graph::Graph& graph,
                                                       const graph::Node& node) {
    const auto& op = std::get<ops::Reverse>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    // A reversed axis is walked with a negative stride, which wraps as unsigned and comes out
    // right, from its last element.
    const Strides strides = graph::strides_of(x.shape());
    std::array walk{strides, strides};
    std::size_t start = 0;
    for (const std::uint32_t axis : op.axes) {
        start += (x.shape()[axis] - 1) * strides[axis];
        walk[0][axis] = 0 - strides[axis];
    }
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(x.shape(), walk, [&](const auto& at) {
                io.output<T>(0)[at[1]] = io.input<T>(0)[start + at[0]];
            });
        });
    });
}

} // namespace sluice::reference
