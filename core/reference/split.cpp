// SPDX-License-Identifier: Apache-2.0
// Cuts an axis into pieces.
#include "core/ops/split.h"

#include <array>
#include <variant>
#include <vector>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_split(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const auto axis = std::get<ops::Split>(node.attributes).axis;
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    std::vector<graph::Shape> shapes;
    shapes.reserve(node.outputs.size());
    for (const graph::OperandId id : node.outputs) {
        shapes.push_back(graph.desc(id).shape());
    }
    const Strides strides = graph::strides_of(x.shape());
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            std::size_t start = 0; // of the piece, along the axis
            for (std::size_t i = 0; i < shapes.size(); ++i) {
                const std::array walk{strides, graph::strides_of(shapes[i])};
                for_each_index(shapes[i], walk, [&](const auto& at) {
                    io.output<T>(i)[at[1]] = io.input<T>(0)[start * strides[axis] + at[0]];
                });
                start += shapes[i][axis];
            }
        });
    });
}

} // namespace sluice::reference
