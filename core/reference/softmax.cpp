// SPDX-License-Identifier: Apache-2.0
// exp(x) over its sum along an axis.
#include "core/ops/softmax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_softmax(const graph::Graph& graph,
                                                       const graph::Node& node) {
    const auto axis = std::get<ops::Softmax>(node.attributes).axis;
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    const Strides strides = graph::strides_of(x.shape());
    const std::size_t length = x.shape()[axis];
    const std::size_t step = strides[axis];
    graph::Shape outer = x.shape();
    outer[axis] = 1;
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_float(x.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(outer, std::array<Strides, 1>{strides}, [&](const auto& at) {
                const T* in = io.input<T>(0) + at[0];
                T* out = io.output<T>(0) + at[0];
                double top = widen(in[0]);
                for (std::size_t i = 1; i < length; ++i) {
                    top = std::max(top, widen(in[i * step]));
                }
                double sum = 0.0;
                for (std::size_t i = 0; i < length; ++i) {
                    sum += std::exp(widen(in[i * step]) - top);
                }
                for (std::size_t i = 0; i < length; ++i) {
                    out[i * step] = narrow<T>(std::exp(widen(in[i * step]) - top) / sum);
                }
            });
        });
    });
}

} // namespace sluice::reference
