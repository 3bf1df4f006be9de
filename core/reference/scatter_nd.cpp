// SPDX-License-Identifier: Apache-2.0
// A copy in which slices are replaced by coordinates.
#include "core/ops/scatter_nd.h"

#include <algorithm>

#include "core/reference/indices.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_scatter_nd(const graph::Graph& graph,
                                                          const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const Coordinates coordinates = coordinates_of(graph.desc(node.inputs[1]), x);
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            std::copy_n(io.input<T>(0), x.element_count(), io.output<T>(0));
            for (std::size_t i = 0; i < coordinates.count; ++i) {
                const T* update = io.input<T>(2) + i * coordinates.block;
                std::copy_n(update, coordinates.block,
                            io.output<T>(0) + coordinates.offset(io.inputs[1], i));
            }
        });
    });
}

} // namespace sluice::reference
