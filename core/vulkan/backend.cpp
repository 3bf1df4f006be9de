// SPDX-License-Identifier: Apache-2.0
// The Vulkan backend's table of operators, made from ops.def.
#include "core/vulkan/backend.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/ops/attributes.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/make_program.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {
namespace {

struct Lowering {
    Status (*supports)(const Context&, const graph::Graph&, const graph::Node&) = nullptr;
    Status (*lower)(StepWriter&, const graph::Node&) = nullptr;
};

// An operator without a row of its own keeps null pointers.
#define SLUICE_VULKAN_LOWERING_0(file)                                                             \
    {                                                                                              \
    }
#define SLUICE_VULKAN_LOWERING_1(file) {.supports = supports_##file, .lower = lower_##file}
constexpr std::array<Lowering, ops::kOpCount> kLowerings = {{
#define SLUICE_OP(file, Type, cpu, vulkan) SLUICE_VULKAN_LOWERING_##vulkan(file),
#include "core/ops/ops.def"
#undef SLUICE_OP
}};
#undef SLUICE_VULKAN_LOWERING_0
#undef SLUICE_VULKAN_LOWERING_1

// What every operand must keep to.
Status check_operands(const DeviceProfile& profile, const graph::Graph& graph,
                      const graph::Node& node) {
    for (const auto* ids : {&node.inputs, &node.outputs}) {
        for (const graph::OperandId id : *ids) {
            const graph::TensorDesc& desc = graph.desc(id);
            const std::size_t element = graph::size_of(desc.type());
            if (desc.byte_size() > profile.max_storage_range) {
                return fail(ErrorCode::Unsupported, "{} has {} bytes, {} takes {} at most",
                            graph::to_string(desc), desc.byte_size(), profile.name,
                            profile.max_storage_range);
            }
            if ((element == 2 && !profile.storage_16bit) ||
                (element == 1 && !profile.storage_8bit)) {
                return fail(ErrorCode::Unsupported, "{} stores no elements of {} bits",
                            profile.name, element * 8);
            }
        }
    }
    return {};
}

class VulkanBackend final : public runtime::Backend {
public:
    VulkanBackend(std::shared_ptr<Device> device, const Tuning& tuning,
                  std::unique_ptr<Autotuner> autotuner)
        : device_(std::move(device)), tuning_(tuning), autotuner_(std::move(autotuner)) {}

    [[nodiscard]] std::string_view name() const override { return "vulkan"; }

    [[nodiscard]] Status supports(const graph::Graph& graph,
                                  const graph::Node& node) const override {
        const Lowering& lowering = kLowerings[node.attributes.index()];
        if (lowering.supports == nullptr) {
            return fail(ErrorCode::Unsupported, "the vulkan backend has no kernel for {}",
                        ops::name_of(node.attributes));
        }
        SLUICE_TRY(check_operands(device_->profile(), graph, node));
        return lowering.supports(context(), graph, node);
    }

    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower(const graph::Graph& /*graph*/, const graph::Node& /*node*/) const override {
        return fail(ErrorCode::Internal, "the vulkan backend lowers segments, not single nodes");
    }

    [[nodiscard]] bool lowers_segments() const override { return true; }

    [[nodiscard]] Result<std::unique_ptr<runtime::SegmentKernel>>
    lower_segment(const graph::Graph& graph, const runtime::Segment& segment) const override {
        StepWriter writer(context(), graph, segment);
        for (const graph::Node* node : segment.nodes) {
            writer.use(tuning_of(graph, *node));
            if (auto status = kLowerings[node->attributes.index()].lower(writer, *node); !status) {
                return std::unexpected(std::move(status).error().within(title(graph, *node)));
            }
        }
        if (autotuner_) {
            autotuner_->save();
        }
        return make_program(device_, std::move(writer).take(), tuning_.staged);
    }

private:
    [[nodiscard]] Context context() const {
        return {.profile = device_->profile(), .tuning = tuning_};
    }

    [[nodiscard]] Tuning tuning_of(const graph::Graph& graph, const graph::Node& node) const {
        if (!autotuner_) {
            return tuning_;
        }
        return autotuner_->tuning_of(
            graph, node, [&](const Tuning& tuning) { return lower_alone(graph, node, tuning); });
    }
    // The node as a segment of its own.
    [[nodiscard]] Result<Steps> lower_alone(const graph::Graph& graph, const graph::Node& node,
                                            const Tuning& tuning) const;

    std::shared_ptr<Device> device_;
    Tuning tuning_;
    std::unique_ptr<Autotuner> autotuner_; // may be null
};

Result<Steps> VulkanBackend::lower_alone(const graph::Graph& graph, const graph::Node& node,
                                         const Tuning& tuning) const {
    runtime::Segment segment{.nodes = {&node}, .inputs = {}, .outputs = node.outputs};
    for (const graph::OperandId id : node.inputs) {
        if (graph.operand(id).kind != graph::OperandKind::Constant &&
            !std::ranges::contains(segment.inputs, id)) {
            segment.inputs.push_back(id);
        }
    }
    StepWriter writer({.profile = device_->profile(), .tuning = tuning}, graph, segment);
    SLUICE_TRY(kLowerings[node.attributes.index()].lower(writer, node));
    return std::move(writer).take();
}

} // namespace

Result<std::unique_ptr<runtime::Backend>> make_backend(std::shared_ptr<Device> device) {
    const TuningOptions options = tuning_options_from_environment();
    const Tuning tuning = tuning_for(device->profile(), options);
    std::unique_ptr<Autotuner> autotuner;
    if (is_autotuned(device->profile(), options)) {
        autotuner = std::make_unique<Autotuner>(
            device->profile(), tuning, make_step_timer(device),
            AutotunerOptions{.file = tuned_choices_path(device->profile()), .now = {}});
    }
    return make_backend(std::move(device), tuning, std::move(autotuner));
}

Result<std::unique_ptr<runtime::Backend>> make_backend(std::shared_ptr<Device> device,
                                                       const Tuning& tuning) {
    return make_backend(std::move(device), tuning, nullptr);
}

Result<std::unique_ptr<runtime::Backend>> make_backend(std::shared_ptr<Device> device,
                                                       const Tuning& tuning,
                                                       std::unique_ptr<Autotuner> autotuner) {
    if (!device->profile().unusable.empty()) {
        return fail(ErrorCode::Unsupported, "{}: {}", device->profile().name,
                    device->profile().unusable);
    }
    return std::make_unique<VulkanBackend>(std::move(device), tuning, std::move(autotuner));
}

} // namespace sluice::vulkan
