// SPDX-License-Identifier: Apache-2.0
// The step of normalize.comp.
#include "core/vulkan/normalize.h"

#include "core/vulkan/lowerings.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {
namespace {

struct NormalizePush {
    std::uint32_t groups = 1;
    std::uint32_t members = 1;
    std::uint32_t kept_axes = 0;
    std::uint32_t axes = 0;
    float epsilon = 0.0F;
    Words shape{1, 1, 1, 1, 1, 1, 1, 1};
    Words strides{};
    Words factor_strides{};
};

NormalizePush push_of(const Normalisation& how, const graph::Shape& x) {
    const std::array<Strides, 2> strides{graph::strides_of(x), how.factor_strides};
    const auto outer = merge_axes(how.groups, strides);
    const auto inner = merge_axes(how.members, strides);
    NormalizePush push{.groups = static_cast<std::uint32_t>(how.groups.element_count()),
                       .members = static_cast<std::uint32_t>(how.members.element_count()),
                       .kept_axes = static_cast<std::uint32_t>(outer.rank),
                       .epsilon = static_cast<float>(how.epsilon)};
    for (const auto* walk : {&outer, &inner}) {
        for (std::size_t axis = 0; axis < walk->rank; ++axis) {
            push.shape[push.axes] = walk->shape[axis];
            push.strides[push.axes] = walk->strides[0][axis];
            push.factor_strides[push.axes] = walk->strides[1][axis];
            ++push.axes;
        }
    }
    return push;
}

} // namespace

void write_normalisation(StepWriter& writer, const graph::Node& node, const Normalisation& how) {
    const Context& context = writer.context();
    const graph::OperandId x = node.inputs[0];
    const NormalizePush push = push_of(how, writer.graph().desc(x).shape());
    writer.dispatch(
        {.shader = line_shader(context.tuning, is_half(writer.graph(), x),
                               {.shared_single = Shader::Normalize,
                                .shared_half = Shader::NormalizeHalf,
                                .subgroups_single = Shader::NormalizeSubgroups,
                                .subgroups_half = Shader::NormalizeSubgroupsHalf}),
         .constants = {context.tuning.line_invocations, std::uint32_t{how.has_scale},
                       std::uint32_t{how.has_bias}},
         .buffers = {{writer.region(x), Access::Read},
                     {writer.region(node.inputs[how.has_scale ? 1 : 0]), Access::Read},
                     {writer.region(how.has_bias ? node.inputs.back() : x), Access::Read},
                     {writer.region(node.outputs[0]), Access::Write}},
         .push = to_push(push),
         .groups = line_of(push.groups, 1, context.profile)});
}

} // namespace sluice::vulkan
