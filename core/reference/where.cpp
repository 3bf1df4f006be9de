// SPDX-License-Identifier: Apache-2.0
// Chooses between two tensors by a condition, all broadcast.
#include "core/ops/where.h"

#include <array>
#include <cstdint>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_where(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const auto broadcast = [&](std::size_t input) {
        return broadcast_strides(graph.desc(node.inputs[input]).shape(), y.shape());
    };
    const std::array strides{broadcast(0), broadcast(1), broadcast(2),
                             graph::strides_of(y.shape())};
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_size(y.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(y.shape(), strides, [&](const auto& at) {
                io.output<T>(0)[at[3]] = io.input<std::uint8_t>(0)[at[0]] != 0
                                             ? io.input<T>(1)[at[1]]
                                             : io.input<T>(2)[at[2]];
            });
        });
    });
}

} // namespace sluice::reference
