// SPDX-License-Identifier: Apache-2.0
// Conversion between data types.
#include "core/ops/cast.h"

#include "core/vulkan/any_type.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_cast(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    SLUICE_TRY(supports_any_or_wide_type(context, graph, node.inputs[0]));
    return supports_any_or_wide_type(context, graph, node.outputs[0]);
}

Status lower_cast(StepWriter& writer, const graph::Node& node) {
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    const auto count = static_cast<std::uint32_t>(x.element_count());
    const bool wide =
        is_wide(writer.graph(), node.inputs[0]) || is_wide(writer.graph(), node.outputs[0]);
    writer.dispatch({.shader = wide ? Shader::CastWide : Shader::Cast,
                     .constants = {type_constant(x.type()), type_constant(y.type())},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(count),
                     .groups = line_of(count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
