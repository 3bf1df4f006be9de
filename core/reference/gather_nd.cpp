// SPDX-License-Identifier: Apache-2.0
// Slices picked by coordinates.
#include "core/ops/gather_nd.h"

#include <algorithm>

#include "core/reference/indices.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_gather_nd(const graph::Graph& graph,
                                                         const graph::Node& node) {
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const Coordinates coordinates = coordinates_of(graph.desc(node.inputs[1]), x);
    return make_kernel([=, type = x.type()](const runtime::KernelIo& io) {
        visit_size(type, [&]<typename T>(std::type_identity<T>) {
            T* out = io.output<T>(0);
            for (std::size_t i = 0; i < coordinates.count; ++i) {
                const T* from = io.input<T>(0) + coordinates.offset(io.inputs[1], i);
                out = std::copy_n(from, coordinates.block, out);
            }
        });
    });
}

} // namespace sluice::reference
