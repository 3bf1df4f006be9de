// SPDX-License-Identifier: Apache-2.0
// What core/cpu/<operator>.cpp provides for every row of ops.def that is marked cpu, and what those
// files share.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// supports_<operator>(): success, or Unsupported with the reason; lower_<operator>(): the kernel of
// a supported node.
#define SLUICE_CPU_DECLARE_0(file)
#define SLUICE_CPU_DECLARE_1(file)                                                                 \
    [[nodiscard]] Status supports_##file(const graph::Graph& graph, const graph::Node& node);      \
    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>> lower_##file(const graph::Graph& graph, \
                                                                        const graph::Node& node);
#define SLUICE_OP(file, Type, cpu, vulkan) SLUICE_CPU_DECLARE_##cpu(file)
#include "core/ops/ops.def"
#undef SLUICE_OP
#undef SLUICE_CPU_DECLARE_0
#undef SLUICE_CPU_DECLARE_1

// A piece of element-wise work that is worth waking a thread for.
inline constexpr std::size_t kGrainElements = 32768;

// Unsupported unless every input and output of the node is float32.
[[nodiscard]] inline Status require_float32(const graph::Graph& graph, const graph::Node& node) {
    for (const auto* ids : {&node.inputs, &node.outputs}) {
        for (const graph::OperandId id : *ids) {
            if (graph.desc(id).type() != graph::DataType::Float32) {
                return fail(ErrorCode::Unsupported, "data type {} is not float32",
                            graph::name(graph.desc(id).type()));
            }
        }
    }
    return {};
}

} // namespace sluice::cpu
