// SPDX-License-Identifier: Apache-2.0
// Normalisation by given means and variances, one pair a channel.
#include "core/ops/batch_normalization.h"

#include <array>
#include <cmath>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_batch_normalization(const graph::Graph& graph,
                                                                   const graph::Node& node) {
    const auto op = std::get<ops::BatchNormalization>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    // The operands of one number a channel are walked by the index of the axis.
    Strides channel{};
    channel[op.axis] = 1;
    const std::array walk{graph::strides_of(x.shape()), channel};
    const std::size_t bias = op.has_scale ? 4 : 3;
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_float(x.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(x.shape(), walk, [&](const auto& at) {
                const std::size_t c = at[1];
                const double centred = widen(io.input<T>(0)[at[0]]) - widen(io.input<T>(1)[c]);
                const double deviation = std::sqrt(widen(io.input<T>(2)[c]) + op.epsilon);
                const double scale = op.has_scale ? widen(io.input<T>(3)[c]) : 1.0;
                const double shift = op.has_bias ? widen(io.input<T>(bias)[c]) : 0.0;
                io.output<T>(0)[at[0]] = narrow<T>(scale * centred / deviation + shift);
            });
        });
    });
}

} // namespace sluice::reference
