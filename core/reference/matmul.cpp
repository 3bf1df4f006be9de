// SPDX-License-Identifier: Apache-2.0
// Batched matrix product with broadcast batch dimensions.
#include "core/ops/matmul.h"

#include <array>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_matmul(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const graph::TensorDesc a = graph.desc(node.inputs[0]);
    const graph::TensorDesc b = graph.desc(node.inputs[1]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    SLUICE_TRY(require_float(a.type()));
    const std::size_t rank = y.rank();
    const std::size_t depth = a.shape()[a.rank() - 1];
    const std::size_t width = b.shape()[b.rank() - 1];
    std::array strides{broadcast_strides(a.shape(), y.shape()),
                       broadcast_strides(b.shape(), y.shape()), graph::strides_of(y.shape())};
    // Columns do not move A and rows do not move B; k walks those axes.
    strides[0][rank - 1] = 0;
    strides[1][rank - 2] = 0;
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_float(a.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(y.shape(), strides, [&](const auto& at) {
                double sum = 0.0;
                for (std::size_t k = 0; k < depth; ++k) {
                    sum +=
                        widen(io.input<T>(0)[at[0] + k]) * widen(io.input<T>(1)[at[1] + k * width]);
                }
                io.output<T>(0)[at[2]] = narrow<T>(sum);
            });
        });
    });
}

} // namespace sluice::reference
