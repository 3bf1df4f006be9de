// SPDX-License-Identifier: Apache-2.0
// Running sums along an axis. Integers wrap; floats are summed in double.
#include "core/ops/cumulative_sum.h"

#include <array>
#include <cstdint>
#include <type_traits>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_cumulative_sum(const graph::Graph& graph,
                                                              const graph::Node& node) {
    const auto op = std::get<ops::CumulativeSum>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const Strides strides = graph::strides_of(x.shape());
    const std::size_t length = x.shape()[op.axis];
    const std::size_t step = strides[op.axis];
    graph::Shape outer = x.shape();
    outer[op.axis] = 1;
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename T>(std::type_identity<T>) {
            // The low bits of two's complement do not depend on the sign, and unsigned may
            // overflow.
            using Sum = std::conditional_t<kIsFloat<T>, double, std::uint64_t>;
            for_each_index(outer, std::array<Strides, 1>{strides}, [&](const auto& at) {
                const T* in = io.input<T>(0) + at[0];
                T* out = io.output<T>(0) + at[0];
                Sum sum = 0;
                for (std::size_t i = 0; i < length; ++i) {
                    const std::size_t place = (op.reversed ? length - 1 - i : i) * step;
                    const auto before = static_cast<Wide<T>>(sum);
                    sum += static_cast<Sum>(widen(in[place]));
                    out[place] = narrow<T>(op.exclusive ? before : static_cast<Wide<T>>(sum));
                }
            });
        });
    });
}

} // namespace sluice::reference
