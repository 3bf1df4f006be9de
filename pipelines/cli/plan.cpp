// SPDX-License-Identifier: Apache-2.0
// The printed plan of an executable.
#include "pipelines/cli/plan.h"

#include <algorithm>
#include <format>
#include <vector>

namespace sluice::cli {

std::string plan_text(const runtime::Executable& executable) {
    std::vector<std::vector<std::string>> rows{{"device", "step", "why not an earlier device"}};
    for (const runtime::PlannedStep& step : executable.steps()) {
        rows.push_back({step.backend, shortened(step.title), step.reason});
    }
    const auto work = device_work(executable);
    return work ? std::format("{}\na run: {}\n", table(rows, 3), work_text(*work)) : table(rows, 3);
}

Json plan_json(const runtime::Executable& executable) {
    Json steps = Json::array();
    for (const runtime::PlannedStep& step : executable.steps()) {
        steps.push_back({{"step", step.title}, {"backend", step.backend}, {"nodes", step.nodes}});
        if (!step.reason.empty()) {
            steps.back()["reason"] = step.reason;
        }
        if (step.work) {
            steps.back()["work"] = work_json(*step.work);
        }
    }
    return steps;
}

std::optional<runtime::DeviceWork> device_work(const runtime::Executable& executable) {
    std::optional<runtime::DeviceWork> sum;
    for (const runtime::PlannedStep& step : executable.steps()) {
        if (!step.work) {
            continue;
        }
        sum = sum.value_or(runtime::DeviceWork{});
        sum->dispatches += step.work->dispatches;
        sum->barriers += step.work->barriers;
        sum->copies += step.work->copies;
        sum->descriptor_updates += step.work->descriptor_updates;
        sum->bytes += step.work->bytes;
    }
    return sum;
}

std::string work_text(const runtime::DeviceWork& work) {
    return std::format("{} dispatches, {} barriers, {} copies, {} descriptor updates, {} read and "
                       "written",
                       work.dispatches, work.barriers, work.copies, work.descriptor_updates,
                       bytes_text(work.bytes));
}

Json work_json(const runtime::DeviceWork& work) {
    return {{"dispatches", work.dispatches},
            {"barriers", work.barriers},
            {"copies", work.copies},
            {"descriptor_updates", work.descriptor_updates},
            {"bytes", work.bytes}};
}

std::string plan_summary(const runtime::Executable& executable) {
    struct Share {
        std::string backend;
        std::size_t nodes = 0;
        std::size_t steps = 0;
    };
    std::vector<Share> shares;
    for (const runtime::PlannedStep& step : executable.steps()) {
        auto found = std::ranges::find(shares, step.backend, &Share::backend);
        if (found == shares.end()) {
            found = shares.insert(found, {.backend = step.backend});
        }
        found->nodes += step.nodes.size();
        ++found->steps;
    }
    std::string text;
    const auto count = [](std::size_t n, const char* what) {
        return std::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    for (const Share& share : shares) {
        text += std::format("{}{}: {} in {}", text.empty() ? "" : ", ", share.backend,
                            count(share.nodes, "node"), count(share.steps, "step"));
    }
    if (executable.border_bytes() > 0) {
        text += std::format(", {} copied between them and the host a run",
                            bytes_text(executable.border_bytes()));
    }
    return text;
}

} // namespace sluice::cli
