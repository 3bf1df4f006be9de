// SPDX-License-Identifier: Apache-2.0
// `sluice bench model`: latency, throughput, memory and the profile of one network.
#include <algorithm>
#include <chrono>
#include <format>
#include <map>
#include <numeric>
#include <random>

#include "core/cpu/machine_limits.h"
#include "core/graph/flop.h"
#include "models/store/store.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/cost.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/plan.h"
#include "pipelines/cli/size.h"

namespace sluice::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUps = 3;
constexpr std::size_t kProfileRuns = 9;

struct BenchOptions {
    std::string model;
    EngineOptions engine;
    unsigned runs = 50;
    Size size;
    bool profile = false;
    bool json = false;
};

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

// Uniform in 0..1 from a fixed seed; integers are left at zero.
void fill_inputs(runtime::Executable& executable) {
    std::minstd_rand random(1);
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    for (std::size_t i = 0; i < executable.inputs().size(); ++i) {
        if (executable.inputs()[i].desc.type() == graph::DataType::Float32) {
            std::ranges::generate(executable.input_floats(i), [&] { return uniform(random); });
        }
    }
}

Result<std::vector<double>> measure(runtime::Executable& executable, unsigned runs) {
    for (int i = 0; i < kWarmUps; ++i) {
        SLUICE_TRY(executable.run());
    }
    std::vector<double> samples;
    samples.reserve(runs);
    Progress progress("measuring");
    for (unsigned i = 0; i < runs && !was_interrupted(); ++i) {
        const Clock::time_point start = Clock::now();
        SLUICE_TRY(executable.run());
        samples.push_back(milliseconds(Clock::now() - start));
        progress.update(static_cast<double>(i) / runs);
    }
    std::ranges::sort(samples);
    return samples;
}

struct StepTime {
    std::size_t step;
    double ms; // the median of kProfileRuns
};

Result<std::vector<StepTime>> profile(runtime::Executable& executable) {
    std::vector<std::vector<double>> samples(executable.steps().size());
    for (std::size_t run = 0; run < kProfileRuns; ++run) {
        SLUICE_TRY_ASSIGN(const auto nanoseconds, executable.profile());
        for (std::size_t step = 0; step < nanoseconds.size(); ++step) {
            samples[step].push_back(1e-6 * static_cast<double>(nanoseconds[step]));
        }
    }
    std::vector<StepTime> times;
    for (std::size_t step = 0; step < samples.size(); ++step) {
        std::ranges::sort(samples[step]);
        times.push_back({.step = step, .ms = percentile(samples[step], 50)});
    }
    std::ranges::stable_sort(times, std::greater{}, &StepTime::ms);
    return times;
}

struct Report {
    Json json;
    std::vector<std::vector<std::string>> rows; // of the profile
    std::string work;                           // of devices, as text
};

// What a step computes, of the nodes that it runs.
struct StepWork {
    std::string shapes; // "1x64x64x32 -> 1x64x64x64", of the first input and the last output
    std::uint64_t flop = 0;
};

std::string shape_text(const graph::Graph& graph, graph::OperandId id) {
    std::string text;
    for (const std::uint32_t dim : graph.desc(id).shape()) {
        text += std::format("{}{}", text.empty() ? "" : "x", dim);
    }
    return text.empty() ? "scalar" : text;
}

std::vector<StepWork> work_of(const runtime::Executable& executable) {
    const graph::Graph& graph = executable.graph();
    std::map<std::string, const graph::Node*> nodes;
    for (const graph::Node& node : graph.nodes()) {
        nodes.emplace(graph::title(graph, node), &node);
    }
    std::vector<StepWork> works;
    for (const runtime::PlannedStep& step : executable.steps()) {
        StepWork& work = works.emplace_back();
        for (const std::string& title : step.nodes) {
            work.flop += graph::flop_of(graph, *nodes.at(title));
        }
        const graph::Node& first = *nodes.at(step.nodes.front());
        const graph::Node& last = *nodes.at(step.nodes.back());
        work.shapes = std::format(
            "{} -> {}", first.inputs.empty() ? "none" : shape_text(graph, first.inputs[0]),
            shape_text(graph, last.outputs[0]));
    }
    return works;
}

// "58.3 (50 %)", the speed of a step that computes; `peak` is 0 where it is not the CPU's.
std::string speed_text(double gflop_per_second, double peak) {
    if (gflop_per_second <= 0.0) {
        return "";
    }
    return peak > 0.0
               ? std::format("{:.1f} ({:.0f} %)", gflop_per_second, 100.0 * gflop_per_second / peak)
               : std::format("{:.1f}", gflop_per_second);
}

Status add_profile(runtime::Executable& executable, double peak, Report& report) {
    SLUICE_TRY_ASSIGN(const std::vector<StepTime> times, profile(executable));
    const std::vector<StepWork> works = work_of(executable);
    const double sum = std::accumulate(times.begin(), times.end(), 0.0,
                                       [](double left, const StepTime& t) { return left + t.ms; });
    report.rows.push_back(
        {"step", "shapes", "backend", "why not an earlier device", "ms", "share", "GFLOP/s"});
    Json entries = Json::array();
    for (const StepTime& time : times) {
        const runtime::PlannedStep& step = executable.steps()[time.step];
        const double share = sum > 0.0 ? time.ms / sum : 0.0;
        const StepWork& work = works[time.step];
        const double speed = time.ms > 0.0 ? 1e-6 * static_cast<double>(work.flop) / time.ms : 0.0;
        report.rows.push_back({shortened(step.title), work.shapes, step.backend, step.reason,
                               std::format("{:.4f}", time.ms),
                               std::format("{:.1f} %", 100.0 * share), speed_text(speed, peak)});
        entries.push_back({{"step", step.title},
                           {"shapes", work.shapes},
                           {"backend", step.backend},
                           {"ms", rounded(time.ms, 6)},
                           {"share", rounded(share, 4)},
                           {"gflop_per_second", rounded(speed, 3)}});
        if (!step.reason.empty()) {
            entries.back()["reason"] = step.reason;
        }
    }
    report.json["profile"] = entries;
    return {};
}

Json latency(const std::vector<double>& samples) {
    const double sum = std::accumulate(samples.begin(), samples.end(), 0.0);
    return {{"p50", rounded(percentile(samples, 50), 6)},
            {"p95", rounded(percentile(samples, 95), 6)},
            {"p99", rounded(percentile(samples, 99), 6)},
            {"min", rounded(samples.front(), 6)},
            {"max", rounded(samples.back(), 6)},
            {"mean", rounded(sum / static_cast<double>(samples.size()), 6)}};
}

// The CPU's own limit, for as many threads as ran; nothing of other devices.
std::string peak_text(const Json& json) {
    return json.contains("share_of_peak") ? std::format(", {:.0f} % of the CPU's peak",
                                                        100.0 * json["share_of_peak"].get<double>())
                                          : "";
}

std::string text_of(const Report& report) {
    const Json& json = report.json;
    const auto ms = [](const Json& value) { return std::format("{:.3f} ms", value.get<double>()); };
    const Json& times = json["latency_ms"];
    std::string text = table(
        {
            {"model", json["model"].get<std::string>()},
            {"device", std::format("{}, {} threads", json["device"].get<std::string>(),
                                   json["threads"].get<unsigned>())},
            {"plan", json["plan"].get<std::string>()},
            {"latency", std::format("p50 {}, p95 {}, p99 {}", ms(times["p50"]), ms(times["p95"]),
                                    ms(times["p99"]))},
            {"", std::format("min {}, mean {}, max {} of {} runs", ms(times["min"]),
                             ms(times["mean"]), ms(times["max"]), json["runs"].get<unsigned>())},
            {"throughput", std::format("{:.1f} inferences a second",
                                       json["inferences_per_second"].get<double>())},
            {"work",
             std::format("{:.3f} GFLOP an inference, {:.1f} GFLOP/s{}", json["gflop"].get<double>(),
                         json["gflop_per_second"].get<double>(), peak_text(json))},
            {"start",
             std::format("load {}, compile {}", ms(json["load_ms"]), ms(json["compile_ms"]))},
            {"memory", std::format("arena {} (unshared {}), scratch {}, process {}",
                                   bytes_text(json["arena_bytes"].get<std::size_t>()),
                                   bytes_text(json["unshared_bytes"].get<std::size_t>()),
                                   bytes_text(json["scratch_bytes"].get<std::size_t>()),
                                   bytes_text(json["peak_rss_bytes"].get<std::size_t>()))},
        },
        2);
    if (json.contains("device_work")) {
        text += std::format("a run      {}\n", report.work);
    }
    return report.rows.empty() ? text : text + "\n" + table(report.rows, 3);
}

// Of inputs and outputs.
std::size_t end_bytes(const runtime::Executable& executable) {
    std::size_t bytes = 0;
    for (const auto& ends : {executable.inputs(), executable.outputs()}) {
        for (const runtime::TensorInfo& end : ends) {
            bytes += end.desc.byte_size();
        }
    }
    return bytes;
}

Status bench(const BenchOptions& options) {
    catch_interrupts();
    const Clock::time_point start = Clock::now();
    SLUICE_TRY_ASSIGN(auto stored, models::open_model(options.model, options.size.load_options()));
    const Clock::time_point loaded = Clock::now();
    const std::uint64_t flop = graph::flop_of(stored.model.graph);
    SLUICE_TRY_ASSIGN(const auto executable,
                      compile(std::move(stored.model.graph), options.engine));
    const Clock::time_point compiled = Clock::now();
    fill_inputs(*executable);
    SLUICE_TRY_ASSIGN(const std::vector<double> samples, measure(*executable, options.runs));
    if (samples.empty()) {
        return fail(ErrorCode::Internal, "interrupted before the first run");
    }
    const double p50 = percentile(samples, 50);
    const double gflop = 1e-9 * static_cast<double>(flop);
    Report report;
    report.json = {{"model", options.model},
                   {"device", name(options.engine.device)},
                   {"threads", executable->threads()},
                   {"runs", samples.size()},
                   {"latency_ms", latency(samples)},
                   {"inferences_per_second", rounded(1000.0 / p50, 3)},
                   {"gflop", rounded(gflop, 6)},
                   {"gflop_per_second", rounded(gflop / (1e-3 * p50), 3)},
                   {"load_ms", rounded(milliseconds(loaded - start), 3)},
                   {"compile_ms", rounded(milliseconds(compiled - loaded), 3)},
                   {"plan", plan_summary(*executable)},
                   {"steps", executable->steps().size()},
                   {"border_bytes", executable->border_bytes()},
                   {"arena_bytes", executable->arena_bytes()},
                   {"unshared_bytes", executable->unshared_bytes()},
                   {"scratch_bytes", executable->scratch_bytes()},
                   {"end_bytes", end_bytes(*executable)},
                   {"peak_rss_bytes", peak_rss_bytes()}};
    double peak = 0.0;
    if (options.engine.device.kind == DeviceKind::Cpu) {
        peak = cpu::peak_float_gflops(executable->threads());
        report.json["peak_gflop_per_second"] = rounded(peak, 3);
        report.json["share_of_peak"] = rounded(gflop / (1e-3 * p50) / peak, 4);
    }
    if (const auto work = device_work(*executable)) {
        report.json["device_work"] = work_json(*work);
        report.work = work_text(*work);
    }
    if (options.profile) {
        SLUICE_TRY(add_profile(*executable, peak, report));
    }
    return options.json ? print_json(report.json) : print(text_of(report));
}

} // namespace

void add_bench_model(CLI::App& bench_command, Action& action) {
    CLI::App* command =
        bench_command.add_subcommand("model", "Latency, throughput and memory of a model");
    auto options = std::make_shared<BenchOptions>();
    command->add_option("MODEL", options->model, "A name of the zoo or a path")->required();
    add_engine_options(*command, options->engine);
    command->add_option("--runs", options->runs, "Timed runs")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N")
        ->capture_default_str();
    add_size_option(*command, options->size);
    command->add_flag("--profile", options->profile, "Also the time and speed of every step");
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

} // namespace sluice::cli
