// SPDX-License-Identifier: Apache-2.0
// What an Executable holds, for the files that implement it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/aligned_bytes.h"
#include "core/runtime/executable.h"
#include "core/runtime/kernel.h"
#include "core/runtime/memory_plan.h"
#include "core/runtime/schedule.h"
#include "core/runtime/segment.h"
#include "core/runtime/thread_pool.h"

namespace sluice::runtime {

// The first of many bytes.
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

// A kernel with the addresses it runs on.
struct Step {
    std::unique_ptr<Kernel> kernel;
    SegmentKernel* segment = nullptr; // the kernel, where it is one
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
};

struct Executable::State {
    explicit State(graph::Graph g) : graph(std::move(g)) {}

    graph::Graph graph;
    std::shared_ptr<ThreadPool> threads;
    std::vector<TensorInfo> inputs;
    std::vector<TensorInfo> outputs;
    std::vector<Step> steps;
    std::vector<PlannedStep> planned;
    MemoryPlan plan;
    AlignedBytes arena;
    std::byte* scratch = nullptr;
    std::vector<std::byte*> addresses; // by operand; null for constants and inside segments
    std::uint64_t border_bytes = 0;
    SegmentKernel* program = nullptr;

    Schedule schedule;                             // points into graph
    std::vector<std::optional<std::size_t>> slots; // by operand: index into plan.offsets
    std::size_t scratch_bytes = 0;

    [[nodiscard]] Status lower();
    [[nodiscard]] Status lower_with_cache(std::string_view processor);
    [[nodiscard]] Status place_on_devices();
    [[nodiscard]] Status place_at(graph::OperandId id, std::span<std::byte> memory);
    void lay_out();
    [[nodiscard]] Status allocate_arena();
    void bind();
    void find_program();
    [[nodiscard]] Status run_step(const Step& step) const {
        step.kernel->run({.inputs = step.inputs,
                          .outputs = step.outputs,
                          .scratch = scratch,
                          .threads = *threads});
        return step.segment != nullptr ? step.segment->last_run() : Status{};
    }
};

} // namespace sluice::runtime
