// SPDX-License-Identifier: Apache-2.0
// The candidates of products and of reductions.
#include "core/vulkan/kernel_candidates.h"

#include <algorithm>
#include <format>
#include <utility>
#include <variant>

#include "core/ops/attributes.h"

namespace sluice::vulkan {
namespace {

using Candidates = std::vector<KernelCandidate>;

template <typename... Ops>
bool is_any(const graph::Node& node) {
    return (std::holds_alternative<Ops>(node.attributes) || ...);
}

// Convolutions and products without tiles; depthwise ones have the workgroup's size only.
void add_direct(const DeviceProfile& profile, const Tuning& table, Candidates& out) {
    struct Direct {
        std::uint32_t blocks, invocations;
    };
    constexpr std::array kDirect{Direct{1, 64}, Direct{2, 64},  Direct{4, 64}, Direct{8, 64},
                                 Direct{2, 32}, Direct{2, 128}, Direct{2, 256}};
    for (const Direct& direct : kDirect) {
        if (direct.invocations > profile.max_workgroup_invocations) {
            continue;
        }
        Tuning tuning = table;
        tuning.tiled = false;
        tuning.matrix.reset();
        tuning.direct_blocks = direct.blocks;
        tuning.direct_invocations = direct.invocations;
        out.push_back({.name = std::format("direct {}x{}", direct.blocks, direct.invocations),
                       .tuning = tuning});
    }
}

// Shared memory of software devices is memory: tiles only cost there.
void add_tiled(const DeviceProfile& profile, const Tuning& table, Candidates& out) {
    if (profile.type == DeviceType::Software) {
        return;
    }
    for (const NamedTiles& named : known_tiles()) {
        if (!fits(named.tiles, profile)) {
            continue;
        }
        for (const std::uint32_t winograd : {0U, 4U}) {
            Tuning tuning = table;
            tuning.tiled = true;
            tuning.matrix.reset();
            tuning.wide = tuning.narrow = named.tiles;
            tuning.winograd_channels = winograd;
            out.push_back(
                {.name = std::format("{} {}", winograd == 0 ? "tiled" : "winograd", named.name),
                 .tuning = tuning});
        }
    }
}

void add_lines(const DeviceProfile& profile, const Tuning& table, Candidates& out) {
    for (const std::uint32_t invocations : {8U, 16U, 32U, 64U, 128U, 256U}) {
        if (invocations > profile.max_workgroup_invocations ||
            (table.subgroups && invocations < profile.subgroup_size)) {
            continue;
        }
        Tuning tuning = table;
        tuning.line_invocations = invocations;
        out.push_back({.name = std::format("line {}", invocations), .tuning = tuning});
    }
}

} // namespace

std::vector<KernelCandidate> kernel_candidates(const DeviceProfile& profile, const Tuning& table,
                                               const graph::Node& node) {
    Candidates out{{.name = "table", .tuning = table}};
    if (is_any<ops::Conv2d, ops::ConvTranspose2d, ops::Gemm, ops::Matmul>(node)) {
        add_direct(profile, table, out);
        add_tiled(profile, table, out);
    } else if (is_any<ops::InstanceNormalization, ops::LayerNormalization, ops::Reduce,
                      ops::Softmax, ops::Pool2d, ops::ArgMinMax>(node)) {
        add_lines(profile, table, out);
    }
    return out;
}

std::string kernel_shape(const Tuning& table, const graph::Graph& graph, const graph::Node& node) {
    std::string text = std::format("{}{} {}", table.half_arithmetic ? "half arithmetic " : "",
                                   ops::name_of(node.attributes), ops::describe(node.attributes));
    for (const graph::OperandId id : node.inputs) {
        const bool constant = graph.operand(id).kind == graph::OperandKind::Constant;
        text += std::format(" {}{}", constant ? "constant " : "", graph::to_string(graph.desc(id)));
    }
    // A line of a file: labels are the models'.
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return text;
}

} // namespace sluice::vulkan
