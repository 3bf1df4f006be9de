// SPDX-License-Identifier: Apache-2.0
// A triangle of the last two axes, the rest zero.
#include "core/ops/triangular.h"

#include <cstdint>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_triangular(const graph::Graph& graph,
                                                          const graph::Node& node) {
    const auto op = std::get<ops::Triangular>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const std::size_t rows = x.shape()[x.rank() - 2];
    const std::size_t columns = x.shape()[x.rank() - 1];
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(x.type(), [&]<typename T>(std::type_identity<T>) {
            for (std::size_t i = 0; i < x.element_count(); ++i) {
                const auto row = static_cast<std::int64_t>(i / columns % rows);
                const auto column = static_cast<std::int64_t>(i % columns);
                const std::int64_t border = row + op.diagonal;
                const bool kept = op.upper ? column >= border : column <= border;
                io.output<T>(0)[i] = kept ? io.input<T>(0)[i] : T{};
            }
        });
    });
}

} // namespace sluice::reference
