// SPDX-License-Identifier: Apache-2.0
// Devices by name, and compilation for them.
#include "core/engine.h"

#include <array>
#include <format>
#include <fstream>
#include <thread>
#include <utility>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"

namespace sluice {

namespace {

struct DeviceRow {
    DeviceKind kind;
    std::string_view name;
};
constexpr std::array<DeviceRow, 3> kDevices{{{.kind = DeviceKind::Auto, .name = "auto"},
                                             {.kind = DeviceKind::Cpu, .name = "cpu"},
                                             {.kind = DeviceKind::Reference, .name = "reference"}}};

// "model name" of the first processor, or nothing where the kernel does not tell.
std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) {
            if (const auto colon = line.find(": "); colon != std::string::npos) {
                return line.substr(colon + 2) + ", ";
            }
        }
    }
    return {};
}

} // namespace

std::string_view name(DeviceKind device) {
    return kDevices[static_cast<std::size_t>(device)].name;
}

Result<DeviceKind> device_from_name(std::string_view text) {
    std::string names;
    for (const DeviceRow& row : kDevices) {
        if (row.name == text) {
            return row.kind;
        }
        names += std::format("{}{}", names.empty() ? "" : ", ", row.name);
    }
    return fail(ErrorCode::InvalidArgument, "there is no device '{}'; there are: {}", text, names);
}

std::vector<DeviceInfo> devices() {
    return {
        {.name = std::string(name(DeviceKind::Cpu)),
         .description = std::format("{}{}, {} cores", processor_name(), cpu::instruction_set(),
                                    std::thread::hardware_concurrency()),
         .chosen_by_auto = true,
         .reason = "the fastest device that this build has"},
        {.name = std::string(name(DeviceKind::Reference)),
         .description = "plain loops, every operator and data type",
         .chosen_by_auto = false,
         .reason = "made to be right, not fast; runs what the cpu device cannot"},
    };
}

Result<std::unique_ptr<runtime::Executable>> compile(graph::Graph graph,
                                                     const EngineOptions& options) {
    const std::array<const runtime::Backend*, 2> all{&cpu::backend(), &reference::backend()};
    const bool reference_only = options.device == DeviceKind::Reference;
    const std::span backends = reference_only ? std::span(all).last(1) : std::span(all);
    return runtime::Executable::compile(
        std::move(graph),
        {.backends = backends, .threads = options.threads, .optimize = !reference_only});
}

} // namespace sluice
