// SPDX-License-Identifier: Apache-2.0
// `sluice devices`: where networks can run, what `auto` chooses, and in JSON what operators take.
#include <format>

#include "core/engine.h"
#include "core/ops/limits.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {
namespace {

// What every operator takes, as WebNN's opSupportLimits() says it: {"conv2d": {"filter": {...}}}.
Json support_limits() {
    Json limits = Json::object();
    for (const ops::OperandLimits& row : ops::op_support_limits()) {
        Json types = Json::array();
        for (std::size_t i = 0; i < graph::kDataTypes.size(); ++i) {
            if (row.types.contains(static_cast<graph::DataType>(i))) {
                types.push_back(std::string(graph::kDataTypes[i].name));
            }
        }
        limits[std::string(row.op)][std::string(row.operand)] = {
            {"data_types", types},
            {"rank_range", {{"min", row.least_rank}, {"max", row.most_rank}}}};
    }
    return limits;
}

// A paragraph; nothing for devices that have nothing to tell.
std::string abilities_text(const DeviceInfo& device) {
    std::string text;
    const auto add = [&](const char* heading, const std::vector<std::string>& lines) {
        if (!lines.empty()) {
            text += std::format("\n{} {}\n", device.name, heading);
        }
        for (const std::string& line : lines) {
            text += std::format("  {}\n", line);
        }
    };
    add("can", device.can);
    add("cannot", device.cannot);
    return text;
}

Status list_devices(bool as_json) {
    Json list = Json::array();
    std::string abilities;
    std::vector<std::vector<std::string>> rows{{"device", "auto", "description", "reason"}};
    for (const DeviceInfo& device : devices()) {
        list.push_back({{"name", device.name},
                        {"description", device.description},
                        {"chosen_by_auto", device.chosen_by_auto},
                        {"reason", device.reason},
                        {"can", device.can},
                        {"cannot", device.cannot}});
        rows.push_back(
            {device.name, device.chosen_by_auto ? "yes" : "", device.description, device.reason});
        abilities += abilities_text(device);
    }
    return as_json ? print_json({{"devices", list}, {"op_support_limits", support_limits()}})
                   : print(table(rows, 4) + abilities);
}

} // namespace

void add_devices(CLI::App& app, Action& action) {
    CLI::App* command = app.add_subcommand("devices", "List where networks can run");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Print JSON");
    command->callback(
        [as_json, &action] { action = [as_json] { return list_devices(*as_json); }; });
}

} // namespace sluice::cli
