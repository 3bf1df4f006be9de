// SPDX-License-Identifier: Apache-2.0
// The schedule: the steps of an executable, a device's consecutive nodes being one. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/runtime/partition.h"
#include "core/runtime/segment.h"

namespace sluice::runtime {

struct ScheduledStep {
    const Backend* backend = nullptr;
    bool on_device = false; // the backend lowers segments
    // A host backend's step is one node, with its operands as the kernel gets them, or a run of
    // several, with those that cross its border.
    Segment segment;
    std::string reason; // why earlier backends declined
};

struct Schedule {
    std::vector<ScheduledStep> steps;
    // By operand: the operand that owns the memory, and where in it this one begins. See views.h.
    std::vector<graph::OperandId> roots;
    std::vector<std::size_t> offsets; // in bytes, multiples of kTensorAlignment
};

// Points into the graph.
[[nodiscard]] Schedule make_schedule(const graph::Graph& graph,
                                     std::span<const Assignment> assignments);

} // namespace sluice::runtime
