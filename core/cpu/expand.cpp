// SPDX-License-Identifier: Apache-2.0
// expand: a strided copy that stands still on the axes that are repeated.
#include "core/ops/expand.h"

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {

Status supports_expand(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_expand(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const auto dense = graph::strides_of(x.shape());
    const std::size_t lead = y.rank() - x.rank();
    StridedCopy::Strides strides{};
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        strides[lead + axis] = x.shape()[axis] == 1 ? 0 : dense[axis];
    }
    const StridedCopy copy(y, strides, graph::strides_of(y), graph::size_of(x.type()));
    return runtime::make_kernel(
        [=](const runtime::KernelIo& io) { copy.run(io.outputs[0], io.inputs[0], io.threads); });
}

} // namespace sluice::cpu
