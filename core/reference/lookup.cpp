// SPDX-License-Identifier: Apache-2.0
// An element-wise function of 8 bits as a table.
#include "core/ops/lookup.h"

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_lookup(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const std::size_t count = graph.desc(node.inputs[0]).element_count();
    return make_kernel(
        [count, type = graph.desc(node.inputs[1]).type()](const runtime::KernelIo& io) {
            visit_size(type, [&]<typename T>(std::type_identity<T>) {
                for (std::size_t i = 0; i < count; ++i) {
                    io.output<T>(0)[i] = io.input<T>(1)[io.input<std::uint8_t>(0)[i]];
                }
            });
        });
}

} // namespace sluice::reference
