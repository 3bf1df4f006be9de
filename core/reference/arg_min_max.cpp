// SPDX-License-Identifier: Apache-2.0
// Index of the smallest or largest element along an axis.
#include "core/ops/arg_min_max.h"

#include <array>
#include <cstdint>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_arg_min_max(const graph::Graph& graph,
                                                           const graph::Node& node) {
    const auto op = std::get<ops::ArgMinMax>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const Strides strides = graph::strides_of(x.shape());
    const std::size_t length = x.shape()[op.axis];
    const std::size_t step = strides[op.axis];
    // The input with the axis cut to its first element has the output's elements in order.
    graph::Shape outer = x.shape();
    outer[op.axis] = 1;
    const std::array walk{strides, graph::strides_of(outer)};
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(outer, walk, [&](const auto& at) {
                const T* line = io.input<T>(0) + at[0];
                std::size_t best = 0;
                for (std::size_t i = 1; i < length; ++i) {
                    const auto value = widen(line[i * step]);
                    const auto champion = widen(line[best * step]);
                    if (op.is_max ? value > champion : value < champion) {
                        best = i;
                    }
                }
                if (op.output_type == graph::DataType::Int64) {
                    io.output<std::int64_t>(0)[at[1]] = static_cast<std::int64_t>(best);
                } else {
                    io.output<std::int32_t>(0)[at[1]] = static_cast<std::int32_t>(best);
                }
            });
        });
    });
}

} // namespace sluice::reference
