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

Result<std::unique_ptr<runtime::Backend>> vulkan_backend(std::string_view selector) {
    SLUICE_TRY_ASSIGN(auto device, vulkan::Device::open(selector));
    return vulkan::make_backend(std::move(device));
}

// The GPU's backend, or null where auto means the CPU.
std::unique_ptr<runtime::Backend> auto_backend() {
    if (!kernel_has_gpu()) {
        return nullptr;
    }
    const auto devices = vulkan::list_devices();
    const auto chosen = devices ? choose_gpu(*devices) : std::nullopt;
    if (!chosen) {
        return nullptr;
    }
    auto backend = vulkan_backend(std::to_string(*chosen));
    if (!backend) {
        log::warning("engine", "the network runs on the CPU: {}", backend.error().message);
        return nullptr;
    }
    return std::move(*backend);
}

Result<std::unique_ptr<runtime::Backend>> device_backend(const DeviceChoice& device) {
    switch (device.kind) {
    case DeviceKind::Auto: return auto_backend();
    case DeviceKind::Cpu:
    case DeviceKind::Reference: return nullptr;
    case DeviceKind::Vulkan: return vulkan_backend(device.selector);
    }
    std::unreachable();
}

} // namespace

Result<std::unique_ptr<runtime::Executable>> compile(graph::Graph graph,
                                                     const EngineOptions& options) {
    auto device = device_backend(options.device);
    if (!device) {
        return std::unexpected(
            std::move(device).error().within(std::format("device {}", name(options.device))));
    }
    const bool reference_only = options.device.kind == DeviceKind::Reference;
    std::vector<const runtime::Backend*> backends;
    if (*device) {
        backends.push_back(device->get());
    }
    if (!reference_only) {
        backends.push_back(&cpu::backend());
    }
    backends.push_back(&reference::backend());
    const unsigned threads = options.threads == 0 && is_small(graph) ? 1 : options.threads;
    return runtime::Executable::compile(
        std::move(graph), {.backends = backends, .threads = threads, .optimize = !reference_only});
}

} // namespace sluice
