// SPDX-License-Identifier: Apache-2.0
// What every file of this folder provides: a kernel for one operator of ops.def.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"

namespace sluice::reference {

// lower_<operator>(): Unsupported where the operator has no loop for the node's data types.
#define SLUICE_OP(file, Type, cpu, vulkan)                                                         \
    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>> lower_##file(const graph::Graph& graph, \
                                                                        const graph::Node& node);
#include "core/ops/ops.def"
#undef SLUICE_OP

} // namespace sluice::reference
