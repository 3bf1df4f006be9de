// SPDX-License-Identifier: Apache-2.0
// `sluice bench machine`: what the processor and its memory can do at best.
#include <format>
#include <memory>
#include <thread>
#include <vector>

#include "core/cpu/machine_limits.h"
#include "core/engine.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {
namespace {

struct MachineOptions {
    std::vector<unsigned> threads;
    bool json = false;
};

std::string cpu_description() {
    for (const DeviceInfo& device : devices()) {
        if (device.name == "cpu") {
            return device.description;
        }
    }
    return "cpu";
}

Status bench_machine(const MachineOptions& options) {
    Json entries = Json::array();
    std::vector<std::vector<std::string>> rows{{"threads", "fp32 GFLOP/s", "int8 GOP/s"}};
    for (const unsigned threads : options.threads) {
        SLUICE_TRY_ASSIGN(const cpu::MachineLimits limits, cpu::measure_limits(threads));
        Json reads = Json::array();
        std::vector<std::string> row{std::format("{}", threads),
                                     std::format("{:.1f}", limits.float_gflops),
                                     std::format("{:.1f}", limits.int8_gops)};
        for (const cpu::ReadRate& read : limits.reads) {
            reads.push_back({{"buffer_bytes", read.buffer_bytes},
                             {"gigabytes_per_second", rounded(read.gigabytes_per_second, 2)}});
            row.push_back(std::format("{:.1f}", read.gigabytes_per_second));
            if (entries.empty()) {
                rows[0].push_back(std::format("GB/s within {}", bytes_text(read.buffer_bytes)));
            }
        }
        rows.push_back(std::move(row));
        entries.push_back({{"threads", threads},
                           {"fp32_gflop_per_second", rounded(limits.float_gflops, 2)},
                           {"int8_gop_per_second", rounded(limits.int8_gops, 2)},
                           {"reads", std::move(reads)}});
    }
    if (options.json) {
        return print_json({{"cpu", cpu_description()}, {"limits", std::move(entries)}});
    }
    return print(cpu_description() + "\n\n" + table(rows, 1));
}

} // namespace

void add_bench_machine(CLI::App& bench_command, Action& action) {
    CLI::App* command = bench_command.add_subcommand(
        "machine", "The machine's own limits: arithmetic and memory, at best");
    auto options = std::make_shared<MachineOptions>();
    options->threads = {1};
    if (const unsigned cores = std::thread::hardware_concurrency(); cores > 1) {
        options->threads.push_back(cores);
    }
    command->add_option("--threads", options->threads, "Numbers of threads to measure")
        ->check(CLI::Range(1, 1024))
        ->type_name("N...")
        ->capture_default_str();
    command->add_flag("--json", options->json, "Print JSON");
    command->callback(
        [options, &action] { action = [options] { return bench_machine(*options); }; });
}

} // namespace sluice::cli
