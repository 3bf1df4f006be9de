// SPDX-License-Identifier: Apache-2.0
// The CPU backend's table of operators, made from ops.def.
#include "core/cpu/backend.h"

#include <array>
#include <cstddef>

#include <hwy/targets.h>

#include "core/cpu/bottleneck.h"
#include "core/cpu/chain.h"
#include "core/cpu/gemm_kernel.h"
#include "core/cpu/joined_conv.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/winograd.h"
#include "core/ops/attributes.h"

namespace sluice::cpu {
namespace {

// An operator without a row of its own keeps null pointers.
#define SLUICE_CPU_LOWERING_0(file)                                                                \
    {                                                                                              \
    }
#define SLUICE_CPU_LOWERING_1(file) {.supports = supports_##file, .lower = lower_##file}
constexpr std::array<runtime::Lowering, ops::kOpCount> kLowerings = {{
#define SLUICE_OP(file, Type, cpu, vulkan) SLUICE_CPU_LOWERING_##cpu(file),
#include "core/ops/ops.def"
#undef SLUICE_OP
}};
#undef SLUICE_CPU_LOWERING_0
#undef SLUICE_CPU_LOWERING_1

class CpuBackend final : public runtime::Backend {
public:
    [[nodiscard]] std::string_view name() const override { return "cpu"; }

    [[nodiscard]] Status supports(const graph::Graph& graph,
                                  const graph::Node& node) const override {
        const runtime::Lowering& lowering = kLowerings[node.attributes.index()];
        if (lowering.supports == nullptr) {
            return fail(ErrorCode::Unsupported, "the cpu backend has no kernel for {}",
                        ops::name_of(node.attributes));
        }
        return lowering.supports(graph, node);
    }

    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower(const graph::Graph& graph, const graph::Node& node) const override {
        return kLowerings[node.attributes.index()].lower(graph, node);
    }

    [[nodiscard]] std::size_t run_length(const graph::Graph& graph,
                                         std::size_t first) const override {
        if (is_joined_conv(graph, first)) {
            return 2;
        }
        if (const auto chain = find_chain(graph, first)) {
            return chain->node_count;
        }
        const auto bottleneck = find_bottleneck(graph, first);
        return bottleneck ? bottleneck->node_count : 1;
    }
    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower_run(const graph::Graph& graph, const runtime::Segment& segment) const override {
        const auto first = static_cast<std::size_t>(segment.nodes[0] - graph.nodes().data());
        if (is_joined_conv(graph, first) && segment.nodes.size() == 2) {
            return make_joined_conv(graph, segment);
        }
        if (const auto chain = find_chain(graph, first)) {
            if (chain->node_count == segment.nodes.size()) {
                return make_chain(graph, *chain, segment);
            }
        } else if (const auto bottleneck = find_bottleneck(graph, first)) {
            if (bottleneck->node_count == segment.nodes.size()) {
                return make_bottleneck(graph, *bottleneck, segment);
            }
        }
        return fail(ErrorCode::Internal, "{} nodes are neither a chain nor a bottleneck",
                    segment.nodes.size());
    }
};

} // namespace

const runtime::Backend& backend() {
    static const CpuBackend instance;
    return instance;
}

std::string instruction_set() {
    return hwy::TargetName(gemm_kernels().target);
}

std::string packing() {
    return instruction_set() + (allows_winograd() ? " winograd" : "");
}

} // namespace sluice::cpu
