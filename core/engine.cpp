// SPDX-License-Identifier: Apache-2.0
// Devices by name, and compilation for them.
#include "core/engine.h"

#include <array>
#include <format>
#include <fstream>
#include <thread>
#include <utility>

#include "core/cpu/backend.h"
#include "core/graph/flop.h"
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
    const unsigned threads = options.threads == 0 && is_small(graph) ? 1 : options.threads;
    return runtime::Executable::compile(
        std::move(graph), {.backends = backends, .threads = threads, .optimize = !reference_only});
}

} // namespace sluice
