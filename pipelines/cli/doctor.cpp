// SPDX-License-Identifier: Apache-2.0
// `sluice doctor`: what of the zero-copy path this machine supports, and how to report it.
#include "pipelines/cli/doctor.h"

#include <algorithm>
#include <format>

#include "core/engine.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {

namespace {

constexpr std::string_view kReport =
    "To report how a pipeline behaves on this machine, open an issue with\n"
    "  - what `sluice doctor --json` prints,\n"
    "  - the gst-launch-1.0 line, with require-zero-copy=true on the sluice elements,\n"
    "  - its output with GST_DEBUG=sluice*:5,GST_CAPS:5,v4l2*:4,dmabuf:5 set.\n"
    "docs/hardware.md has lines to try for Intel, AMD, NVIDIA and Raspberry Pi.\n";

std::vector<Finding> examine_engine() {
    std::vector<Finding> out;
    for (const DeviceInfo& device : devices()) {
        out.push_back({.section = "engine",
                       .name = device.name,
                       .state = device.chosen_by_auto ? State::Good : State::Info,
                       .found = device.description + (device.chosen_by_auto ? " (auto)" : ""),
                       .remedy = device.reason});
    }
    return out;
}

bool any_good(const std::vector<Finding>& findings, std::string_view section,
              std::string_view name = {}) {
    return std::ranges::any_of(findings, [&](const Finding& finding) {
        return finding.section == section && finding.state == State::Good &&
               (name.empty() || finding.name == name);
    });
}

Finding path(std::string name, bool works, std::string good, std::string missing) {
    return {.section = "path",
            .name = std::move(name),
            .state = works ? State::Good : State::Missing,
            .found = works ? std::move(good) : std::move(missing),
            .remedy = {}};
}

// What the findings mean for a frame on its way.
std::vector<Finding> conclude(const std::vector<Finding>& found) {
    const bool plugin = any_good(found, "gstreamer", "sluicefacedetect");
    const bool camera =
        plugin && any_good(found, "camera") &&
        (any_good(found, "gstreamer", "v4l2src") || any_good(found, "gstreamer", "libcamerasrc"));
    return {
        path("camera to network, on the CPU", camera,
             "v4l2src io-mode=dmabuf: linear dmabufs are mapped in place",
             plugin ? "no camera that can be opened" : "our GStreamer plugin is not found"),
        path("larger picture to display", plugin && any_good(found, "kernel", "making dmabufs"),
             "sluicesuperres writes dmabufs where the sink takes them",
             "sluicesuperres writes plain memory, which sinks upload"),
        path("fences as files", any_good(found, "kernel", "sync_file of a dmabuf"),
             "devices can wait for each other", "waited for on the CPU"),
    };
}

Status print_findings(const std::vector<Finding>& findings) {
    std::vector<std::vector<std::string>> rows{{"", "what", "state", "found"}};
    std::string section;
    for (const Finding& finding : findings) {
        rows.push_back({finding.section == section ? "" : finding.section, finding.name,
                        std::string(name(finding.state)), finding.found});
        section = finding.section;
    }
    std::string text = table(rows, rows.front().size());
    std::string remedies;
    for (const Finding& finding : findings) {
        if (finding.state == State::Missing && !finding.remedy.empty()) {
            remedies += std::format("  {}: {}\n", finding.name, finding.remedy);
        }
    }
    if (!remedies.empty()) {
        text += "\nWhat would help:\n" + remedies;
    }
    return print(std::format("{}\n{}", text, kReport));
}

Status print_findings_json(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"section", finding.section},
                        {"name", finding.name},
                        {"state", name(finding.state)},
                        {"found", finding.found},
                        {"remedy", finding.remedy}});
    }
    return print_json({{"findings", list}});
}

Status examine(bool as_json) {
    std::vector<Finding> findings = examine_kernel();
    for (const auto& part : {examine_nodes(), examine_gstreamer(), examine_engine()}) {
        findings.insert(findings.end(), part.begin(), part.end());
    }
    const auto conclusions = conclude(findings);
    findings.insert(findings.end(), conclusions.begin(), conclusions.end());
    return as_json ? print_findings_json(findings) : print_findings(findings);
}

} // namespace

std::string_view name(State state) {
    switch (state) {
    case State::Good: return "good";
    case State::Missing: return "missing";
    case State::Info: return "info";
    }
    return "";
}

void add_doctor(CLI::App& app, Action& action) {
    CLI::App* command = app.add_subcommand(
        "doctor", "Tell what of the zero-copy path this machine supports, and how to report it");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Print JSON");
    command->callback([as_json, &action] { action = [as_json] { return examine(*as_json); }; });
}

} // namespace sluice::cli
