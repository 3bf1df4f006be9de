// SPDX-License-Identifier: Apache-2.0
// Joins tensors along an axis.
#include "core/ops/concat.h"

#include <array>
#include <variant>
#include <vector>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_concat(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto axis = std::get<ops::Concat>(node.attributes).axis;
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    std::vector<graph::Shape> shapes;
    shapes.reserve(node.inputs.size());
    for (const graph::OperandId id : node.inputs) {
        shapes.push_back(graph.desc(id).shape());
    }
    const Strides strides = graph::strides_of(y.shape());
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(y.type(), [&]<typename T>(std::type_identity<T>) {
            std::size_t start = 0; // of the piece, along the axis
            for (std::size_t i = 0; i < shapes.size(); ++i) {
                const std::array walk{graph::strides_of(shapes[i]), strides};
                for_each_index(shapes[i], walk, [&](const auto& at) {
                    io.output<T>(0)[start * strides[axis] + at[1]] = io.input<T>(i)[at[0]];
                });
                start += shapes[i][axis];
            }
        });
    });
}

} // namespace sluice::reference
