// SPDX-License-Identifier: Apache-2.0
// What core/vulkan/<operator>.cpp provides for every row of ops.def that is marked vulkan, and what
// those files share.
#pragma once

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/reduce.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

// supports_<operator>(): success, or Unsupported with the reason; lower_<operator>(): writes the
// steps of a supported node. The backend has checked the sizes and types of all operands before.
#define SLUICE_VULKAN_DECLARE_0(file)
#define SLUICE_VULKAN_DECLARE_1(file)                                                              \
    [[nodiscard]] Status supports_##file(const Context& context, const graph::Graph& graph,        \
                                         const graph::Node& node);                                 \
    [[nodiscard]] Status lower_##file(StepWriter& writer, const graph::Node& node);
#define SLUICE_OP(file, Type, cpu, vulkan) SLUICE_VULKAN_DECLARE_##vulkan(file)
#include "core/ops/ops.def"
#undef SLUICE_OP
#undef SLUICE_VULKAN_DECLARE_0
#undef SLUICE_VULKAN_DECLARE_1

// Unsupported unless the operand is float32 or float16.
[[nodiscard]] inline Status require_float(const graph::Graph& graph, graph::OperandId id) {
    const graph::DataType type = graph.desc(id).type();
    if (!graph::is_float(type)) {
        return fail(ErrorCode::Unsupported, "data type {} is not a float", graph::name(type));
    }
    return {};
}

[[nodiscard]] inline bool is_half(const graph::Graph& graph, graph::OperandId id) {
    return graph.desc(id).type() == graph::DataType::Float16;
}

// The shader for float32 or for float16.
[[nodiscard]] inline Shader by_type(const graph::Graph& graph, graph::OperandId id, Shader single,
                                    Shader half) {
    return is_half(graph, id) ? half : single;
}

// A kernel that reduces lines, by subgroups or in shared memory, for float32 and for float16.
struct LineShaders {
    Shader shared_single, shared_half, subgroups_single, subgroups_half;
};
[[nodiscard]] inline Shader line_shader(const Tuning& tuning, bool half, const LineShaders& all) {
    if (tuning.subgroups) {
        return half ? all.subgroups_half : all.subgroups_single;
    }
    return half ? all.shared_half : all.shared_single;
}

// From core/vulkan/reduce.cpp: y has the elements of x reduced over the op's axes.
void write_reduction(StepWriter& writer, const ops::Reduce& op, graph::OperandId x,
                     graph::OperandId y);

} // namespace sluice::vulkan
