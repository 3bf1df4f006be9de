// SPDX-License-Identifier: Apache-2.0
// Normalisation over some axes by their own mean and variance.
#include "core/ops/layer_normalization.h"

#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/normalize.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_layer_normalization(const graph::Graph& graph,
                                                                   const graph::Node& node) {
    const auto& op = std::get<ops::LayerNormalization>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    Groups groups{.outer = x.shape(),
                  .inner = x.shape(),
                  .strides = graph::strides_of(x.shape()),
                  .factor_strides = {}};
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        groups.inner[axis] = 1;
    }
    graph::Shape factors; // the shape of scale and bias: the axes in the order given
    for (const std::uint32_t axis : op.axes) {
        groups.inner[axis] = x.shape()[axis];
        groups.outer[axis] = 1;
        factors.push_back(x.shape()[axis]);
    }
    const Strides dense = graph::strides_of(factors);
    for (std::size_t i = 0; i < op.axes.size(); ++i) {
        groups.factor_strides[op.axes[i]] = dense[i];
    }
    const Normalisation how{.epsilon = op.epsilon,
                            .scale = op.has_scale ? 1U : 0U,
                            .bias = op.has_bias ? node.inputs.size() - 1 : 0};
    return make_kernel([=, type = x.type()](const runtime::KernelIo& io) {
        visit_float(type,
                    [&]<typename T>(std::type_identity<T>) { normalize<T>(groups, how, io); });
    });
}

} // namespace sluice::reference
