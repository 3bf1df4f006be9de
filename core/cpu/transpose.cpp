// SPDX-License-Identifier: Apache-2.0
// transpose: a strided copy in the output's order.
#include "core/ops/transpose.h"

#include <variant>

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {

Status supports_transpose(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_transpose(const graph::Graph& graph,
                                                         const graph::Node& node) {
    const auto& permutation = std::get<ops::Transpose>(node.attributes).permutation;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    const auto dense = graph::strides_of(x.shape());
    StridedCopy::Strides strides{};
    for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
        strides[axis] = dense[permutation[axis]];
    }
    const StridedCopy copy(y.shape(), strides, graph::strides_of(y.shape()),
                           graph::size_of(x.type()));
    return runtime::make_kernel(
        [=](const runtime::KernelIo& io) { copy.run(io.outputs[0], io.inputs[0], io.threads); });
}

} // namespace sluice::cpu
