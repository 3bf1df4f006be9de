// SPDX-License-Identifier: Apache-2.0
// slice: a strided copy that starts inside the input.
#include "core/ops/slice.h"

#include <variant>

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {

Status supports_slice(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_slice(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const auto& op = std::get<ops::Slice>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    const std::size_t element = graph::size_of(x.type());
    auto strides = graph::strides_of(x.shape());
    std::size_t start = 0;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        start += op.starts[axis] * strides[axis] * element;
        strides[axis] *= op.strides.empty() ? 1 : op.strides[axis];
    }
    const StridedCopy copy(y.shape(), strides, graph::strides_of(y.shape()), element);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        copy.run(io.outputs[0], io.inputs[0] + start, io.threads);
    });
}

} // namespace sluice::cpu
