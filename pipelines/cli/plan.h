// SPDX-License-Identifier: Apache-2.0
// How a network will run: which device takes which nodes, and why it takes no others.
#pragma once

#include <string>

#include "core/runtime/executable.h"
#include "pipelines/cli/output.h"

namespace sluice::cli {

// A line a step: its device, its nodes, and why an earlier device declined.
[[nodiscard]] std::string plan_text(const runtime::Executable& executable);
[[nodiscard]] Json plan_json(const runtime::Executable& executable);

// "vulkan: 61 nodes in 1 step, cpu: 2 nodes in 2 steps, 1.5 MiB copied between them and
// the host a run"
[[nodiscard]] std::string plan_summary(const runtime::Executable& executable);

} // namespace sluice::cli
