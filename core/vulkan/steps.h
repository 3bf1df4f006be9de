// SPDX-License-Identifier: Apache-2.0
// Steps: what a segment comes down to on a device, before anything has an address. Operators write
// them, program.cpp places the memory and records them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/segment.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/recording.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {

// What choices of kernels depend on. Borrows both.
struct Context {
    const DeviceProfile& profile;
    const Tuning& tuning;
};

enum class RegionId : std::uint32_t {};

// Memory that steps use: a tensor, scratch, or a constant's bytes.
struct Region {
    std::size_t bytes = 0;
    // Inputs and outputs of the segment: never shared with another region.
    bool is_border = false;
    bool is_constant = false;
    graph::ConstantData data; // of constants
};

struct RegionUse {
    RegionId region{};
    Access access = Access::Read;
};

struct DispatchStep {
    Shader shader{};
    std::vector<std::uint32_t> constants;
    std::vector<RegionUse> buffers;
    std::vector<std::byte> push;
    std::array<std::uint32_t, 3> groups{1, 1, 1};
};
// Of the smaller region's bytes.
struct CopyStep {
    RegionId from{}, to{};
};
struct FillStep {
    RegionId region{};
    std::uint32_t word = 0;
};
using Step = std::variant<DispatchStep, CopyStep, FillStep>;

struct Steps {
    std::vector<Region> regions;
    std::vector<Step> steps;
    std::vector<RegionId> inputs; // of the segment, in its order
    std::vector<RegionId> outputs;
};

// Collects the steps of one segment. All referenced things must outlive it.
class StepWriter {
public:
    StepWriter(Context context, const graph::Graph& graph, const runtime::Segment& segment);

    [[nodiscard]] Context context() const { return {.profile = profile_, .tuning = tuning_}; }
    // For what is written from now on.
    void use(const Tuning& tuning) { tuning_ = tuning; }
    [[nodiscard]] const graph::Graph& graph() const { return graph_; }

    // Where an operand lies: a tensor, or a constant's bytes as the graph has them.
    [[nodiscard]] RegionId region(graph::OperandId id);
    [[nodiscard]] RegionId scratch(std::size_t bytes);
    [[nodiscard]] RegionId constant(std::vector<std::byte> bytes);

    void dispatch(DispatchStep step) { steps_.steps.emplace_back(std::move(step)); }
    void copy(RegionId from, RegionId to) { steps_.steps.emplace_back(CopyStep{from, to}); }
    void fill(RegionId region, std::uint32_t word) {
        steps_.steps.emplace_back(FillStep{region, word});
    }
    // `result` has the bytes of `source`: the same region where both can share one, else a copy.
    void alias(graph::OperandId source, graph::OperandId result);

    [[nodiscard]] Steps take() &&;

private:
    RegionId add(Region region);

    const DeviceProfile& profile_;
    Tuning tuning_;
    const graph::Graph& graph_;
    const runtime::Segment& segment_;
    Steps steps_;
    std::vector<std::optional<RegionId>> of_operand_;
};

// The bytes of a push-constant block, for DispatchStep.
template <typename T>
    requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::vector<std::byte> to_push(const T& block) {
    const auto bytes = push_bytes(block);
    return {bytes.begin(), bytes.end()};
}

// Workgroups along one dimension; the shaders loop where the device allows fewer than they need.
[[nodiscard]] inline std::uint32_t limited(std::uint64_t groups, const DeviceProfile& profile) {
    const std::uint64_t most = profile.max_workgroups_x;
    return static_cast<std::uint32_t>(groups < most ? groups : most);
}

} // namespace sluice::vulkan
