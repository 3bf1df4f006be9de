// SPDX-License-Identifier: Apache-2.0
// How a network will run: which device takes which nodes, and why it takes no others.
#pragma once

#include <optional>
#include <string>

#include "core/runtime/executable.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {

// A line a step: its device, its nodes, and why an earlier device declined. Below, what a run makes
// the devices do.
[[nodiscard]] std::string plan_text(const runtime::Executable& executable);
[[nodiscard]] Json plan_json(const runtime::Executable& executable);

// "vulkan: 61 nodes in 1 step, cpu: 2 nodes in 2 steps, 1.5 MiB copied between them and
// the host a run"
[[nodiscard]] std::string plan_summary(const runtime::Executable& executable);

// What a run makes all devices do together; nothing where the host does everything.
[[nodiscard]] std::optional<runtime::DeviceWork> device_work(const runtime::Executable& executable);
// "44 dispatches, 40 barriers, 0 copies, 0 descriptor updates, 3.1 MiB read and written"
[[nodiscard]] std::string work_text(const runtime::DeviceWork& work);
[[nodiscard]] Json work_json(const runtime::DeviceWork& work);

} // namespace sluice::cli
