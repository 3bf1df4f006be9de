// SPDX-License-Identifier: Apache-2.0
// The engine's front door: from a graph and a device's name to an executable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/executable.h"

namespace sluice {

enum class DeviceKind : std::uint8_t { Auto, Cpu, Reference, Vulkan };

// Where a network runs, as users name it: "auto", "cpu", "reference", "vulkan" (the best device of
// that kind), "vulkan:1" or "vulkan:llvmpipe" (its number, or a part of its name).
struct DeviceChoice {
    DeviceKind kind = DeviceKind::Auto;
    std::string selector; // what follows the colon, of Vulkan only

    DeviceChoice() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): {.device = DeviceKind::Cpu}
    DeviceChoice(DeviceKind k, std::string s = {}) : kind(k), selector(std::move(s)) {}
    friend bool operator==(const DeviceChoice&, const DeviceChoice&) = default;
};

[[nodiscard]] std::string name(const DeviceChoice& device); // "vulkan:1"
// InvalidArgument lists the names that exist. Whether there is such a device shows at compile().
[[nodiscard]] Result<DeviceChoice> device_from_name(std::string_view text);
// "auto", "cpu", "reference", "vulkan"
[[nodiscard]] std::vector<std::string> device_kind_names();

struct DeviceInfo {
    std::string name;        // what the `device` property takes: "cpu"
    std::string description; // "AMD EPYC, AVX3_ZEN4, 2 cores"
    bool chosen_by_auto = false;
    std::string reason; // why auto does or does not choose it
    // Of Vulkan devices: what the device has that Sluice uses, and what it lacks.
    std::vector<std::string> can;
    std::vector<std::string> cannot;
};
// Opens Vulkan's loader, and with it all its drivers.
[[nodiscard]] std::vector<DeviceInfo> devices();

struct EngineOptions {
    DeviceChoice device;
    // 0: as many as pay, which is one for a small network, else one per available core.
    unsigned threads = 0;
};

// Optimises (not on the reference device), partitions, plans and lowers. What a Vulkan device
// cannot run goes to the CPU, node by node, and Executable::steps() says so. NotFound and
// Unsupported where the chosen device is not there or cannot be used. Thread-safe.
[[nodiscard]] Result<std::unique_ptr<runtime::Executable>> compile(graph::Graph graph,
                                                                   const EngineOptions& options);

} // namespace sluice
