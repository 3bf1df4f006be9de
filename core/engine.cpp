// SPDX-License-Identifier: Apache-2.0
// Compilation for a device.
#include "core/engine.h"

#include <format>
#include <utility>

#include "core/auto_device.h"
#include "core/base/log.h"
#include "core/cpu/backend.h"
#include "core/graph/flop.h"
#include "core/reference/backend.h"
#include "core/vulkan/backend.h"
#include "core/vulkan/device.h"
#include "core/vulkan/pipeline.h"

namespace sluice {

namespace {

// The threads meet at the end of every node. Below so much work a node, a second thread computes
// less than meeting it costs: on two cores, the face and selfie networks (1 to 4 MFLOP a node) ran
// no faster with two threads and took the decoder's core, Anime4K and the multi-class network (20
// and more) ran up to twice as fast.
constexpr std::uint64_t kFlopWorthThreads = 8'000'000;

// Whether one thread does as well as several.
bool is_small(const graph::Graph& graph) {
    std::uint64_t flop = 0;
    std::uint64_t nodes = 0;
    for (const graph::Node& node : graph.nodes()) {
        const std::uint64_t of_node = graph::flop_of(graph, node);
        flop += of_node;
        nodes += of_node > 0 ? 1 : 0;
    }
    return flop < nodes * kFlopWorthThreads;
}

// Both null: the host's backends alone.
struct OnDevice {
    std::shared_ptr<vulkan::Device> device;
    std::unique_ptr<runtime::Backend> backend;
};

Result<OnDevice> on_vulkan(std::string_view selector) {
    OnDevice on;
    SLUICE_TRY_ASSIGN(on.device, vulkan::Device::open(selector));
    SLUICE_TRY_ASSIGN(on.backend, vulkan::make_backend(on.device));
    return on;
}

// The GPU, or nothing where auto means the CPU.
OnDevice on_auto() {
    if (!kernel_has_gpu()) {
        return {};
    }
    const auto devices = vulkan::list_devices();
    const auto chosen = devices ? choose_gpu(*devices) : std::nullopt;
    if (!chosen) {
        return {};
    }
    auto on = on_vulkan(std::to_string(*chosen));
    if (!on) {
        log::warning("engine", "the network runs on the CPU: {}", on.error().message);
        return {};
    }
    return std::move(*on);
}

Result<OnDevice> open_device(const DeviceChoice& device) {
    switch (device.kind) {
    case DeviceKind::Auto: return on_auto();
    case DeviceKind::Cpu:
    case DeviceKind::Reference: return OnDevice{};
    case DeviceKind::Vulkan: return on_vulkan(device.selector);
    }
    std::unreachable();
}

Result<std::unique_ptr<runtime::Executable>> compile_on(const OnDevice& on, graph::Graph graph,
                                                        const EngineOptions& options) {
    const bool reference_only = options.device.kind == DeviceKind::Reference;
    std::vector<const runtime::Backend*> backends;
    if (on.backend) {
        backends.push_back(on.backend.get());
    }
    if (!reference_only) {
        backends.push_back(&cpu::backend());
    }
    backends.push_back(&reference::backend());
    const unsigned threads = options.threads == 0 && is_small(graph) ? 1 : options.threads;
    auto compiled = runtime::Executable::compile(
        std::move(graph), {.backends = backends,
                           .threads = threads,
                           .optimize = !reference_only,
                           .processor = reference_only ? std::string() : cpu::packing()});
    if (on.device) {
        on.device->pipelines().save(); // now: not every process ends well
    }
    return compiled;
}

} // namespace

Result<std::unique_ptr<runtime::Executable>> compile(graph::Graph graph,
                                                     const EngineOptions& options) {
    auto on = open_device(options.device);
    if (!on) {
        return std::unexpected(
            std::move(on).error().within(std::format("device {}", name(options.device))));
    }
    if (options.device.kind == DeviceKind::Auto && on->backend) {
        auto compiled = compile_on(*on, graph, options);
        if (compiled) {
            return compiled;
        }
        log::warning("engine", "the network runs on the CPU: {}", compiled.error().message);
        *on = {};
    }
    return compile_on(*on, std::move(graph), options);
}

} // namespace sluice
