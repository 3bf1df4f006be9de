// SPDX-License-Identifier: Apache-2.0
// Reductions over axes.
#include "core/ops/reduce.h"

#include <algorithm>
#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// The numbers that reduce.comp has.
static_assert(static_cast<int>(ops::ReduceKind::L1) == 0 &&
              static_cast<int>(ops::ReduceKind::L2) == 1 &&
              static_cast<int>(ops::ReduceKind::LogSum) == 2 &&
              static_cast<int>(ops::ReduceKind::LogSumExp) == 3 &&
              static_cast<int>(ops::ReduceKind::Max) == 4 &&
              static_cast<int>(ops::ReduceKind::Mean) == 5 &&
              static_cast<int>(ops::ReduceKind::Min) == 6 &&
              static_cast<int>(ops::ReduceKind::Product) == 7 &&
              static_cast<int>(ops::ReduceKind::Sum) == 8 &&
              static_cast<int>(ops::ReduceKind::SumSquare) == 9);

struct ReducePush {
    std::uint32_t groups = 1;
    std::uint32_t members = 1;
    std::uint32_t kept_axes = 0;
    std::uint32_t axes = 0;
    Words shape{1, 1, 1, 1, 1, 1, 1, 1};
    Words strides{};
};

ReducePush push_of(const ops::Reduce& op, const graph::Shape& x) {
    const Strides dense = graph::strides_of(x);
    graph::Shape kept = x;
    graph::Shape gone = x;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const bool reduced = std::ranges::contains(op.axes, axis);
        (reduced ? kept : gone)[axis] = 1;
    }
    const auto outer = merge_axes(kept, std::array<Strides, 1>{dense});
    const auto inner = merge_axes(gone, std::array<Strides, 1>{dense});
    ReducePush push{.groups = static_cast<std::uint32_t>(kept.element_count()),
                    .members = static_cast<std::uint32_t>(gone.element_count()),
                    .kept_axes = static_cast<std::uint32_t>(outer.rank)};
    for (const auto* walk : {&outer, &inner}) {
        for (std::size_t axis = 0; axis < walk->rank; ++axis) {
            push.shape[push.axes] = walk->shape[axis];
            push.strides[push.axes] = walk->strides[0][axis];
            ++push.axes;
        }
    }
    return push;
}

} // namespace

Status supports_reduce(const Context& /*context*/, const graph::Graph& graph,
                       const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

void write_reduction(StepWriter& writer, const ops::Reduce& op, graph::OperandId x,
                     graph::OperandId y) {
    const graph::Graph& graph = writer.graph();
    const ReducePush push = push_of(op, graph.desc(x).shape());
    const Context& context = writer.context();
    writer.dispatch(
        {.shader = line_shader(context.tuning, is_half(graph, x),
                               {.shared_single = Shader::Reduce,
                                .shared_half = Shader::ReduceHalf,
                                .subgroups_single = Shader::ReduceSubgroups,
                                .subgroups_half = Shader::ReduceSubgroupsHalf}),
         .constants = {context.tuning.line_invocations, static_cast<std::uint32_t>(op.kind)},
         .buffers = {{writer.region(x), Access::Read}, {writer.region(y), Access::Write}},
         .push = to_push(push),
         .groups = line_of(push.groups, 1, context.profile)});
}

Status lower_reduce(StepWriter& writer, const graph::Node& node) {
    write_reduction(writer, std::get<ops::Reduce>(node.attributes), node.inputs[0],
                    node.outputs[0]);
    return {};
}

} // namespace sluice::vulkan
