// SPDX-License-Identifier: Apache-2.0
// Normalisation of every picture and channel by its own mean and variance.
#include "core/ops/instance_normalization.h"

#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/normalize.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_instance_normalization(const graph::Graph& graph,
                                                                      const graph::Node& node) {
    const auto op = std::get<ops::InstanceNormalization>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    const std::size_t channel_axis = op.layout == ops::InputLayout::Nchw ? 1 : 3;
    Groups groups{.outer = x.shape(),
                  .inner = x.shape(),
                  .strides = graph::strides_of(x.shape()),
                  .factor_strides = {}};
    groups.factor_strides[channel_axis] = 1;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const bool stays = axis == 0 || axis == channel_axis;
        (stays ? groups.inner : groups.outer)[axis] = 1;
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
