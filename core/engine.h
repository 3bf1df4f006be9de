// SPDX-License-Identifier: Apache-2.0
// The engine's front door: from a graph and a device's name to an executable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/executable.h"

namespace sluice {

enum class DeviceKind : std::uint8_t { Auto, Cpu, Reference };

[[nodiscard]] std::string_view name(DeviceKind device); // "auto"
// InvalidArgument lists the names that exist.
[[nodiscard]] Result<DeviceKind> device_from_name(std::string_view text);

struct DeviceInfo {
    std::string name;        // what the `device` property takes: "cpu"
    std::string description; // "AMD EPYC, AVX3_ZEN4, 2 cores"
    bool chosen_by_auto = false;
    std::string reason; // why auto does or does not choose it
};
[[nodiscard]] std::vector<DeviceInfo> devices();

struct EngineOptions {
    DeviceKind device = DeviceKind::Auto;
    // 0: as many as pay, which is one for a small network, else one per available core.
    unsigned threads = 0;
};

// Optimises (not on the reference device), partitions, plans and lowers. Thread-safe.
[[nodiscard]] Result<std::unique_ptr<runtime::Executable>> compile(graph::Graph graph,
                                                                   const EngineOptions& options);

} // namespace sluice
