// SPDX-License-Identifier: Apache-2.0
// Compilation of a graph into kernels over one arena.
#include <algorithm>
#include <cstddef>
#include <expected>
#include <format>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/passes/pass_manager.h"
#include "core/runtime/aligned_bytes.h"
#include "core/runtime/evaluate.h"
#include "core/runtime/executable.h"
#include "core/runtime/executable_state.h"
#include "core/runtime/memory_plan.h"
#include "core/runtime/packed_cache.h"
#include "core/runtime/partition.h"
#include "core/runtime/schedule.h"
#include "core/runtime/thread_pool.h"

namespace sluice::runtime {

namespace {

Result<AlignedBytes> allocate(std::size_t bytes) {
    void* memory = ::operator new(std::max<std::size_t>(bytes, 1),
                                  std::align_val_t{kTensorAlignment}, std::nothrow);
    if (memory == nullptr) {
        return fail(ErrorCode::OutOfMemory, "cannot allocate an arena of {} bytes", bytes);
    }
    return AlignedBytes(static_cast<std::byte*>(memory));
}

std::string title_of(const graph::Graph& graph, const ScheduledStep& step) {
    const auto& nodes = step.segment.nodes;
    if (nodes.size() == 1) {
        return title(graph, *nodes[0]);
    }
    return std::format("{} nodes, {} to {}", nodes.size(), title(graph, *nodes.front()),
                       title(graph, *nodes.back()));
}

} // namespace

Status Executable::State::lower() {
    for (const ScheduledStep& scheduled : schedule.steps) {
        const auto& nodes = scheduled.segment.nodes;
        Step step;
        std::optional<DeviceWork> work;
        if (scheduled.on_device) {
            auto kernel = scheduled.backend->lower_segment(graph, scheduled.segment);
            if (!kernel) {
                return std::unexpected(std::move(kernel).error().within(scheduled.backend->name()));
            }
            step.segment = kernel->get();
            work = step.segment->work();
            step.kernel = std::move(*kernel);
        } else {
            auto kernel = nodes.size() > 1 ? scheduled.backend->lower_run(graph, scheduled.segment)
                                           : scheduled.backend->lower(graph, *nodes[0]);
            if (!kernel) {
                return std::unexpected(std::move(kernel).error().within(title(graph, *nodes[0])));
            }
            step.kernel = std::move(*kernel);
        }
        scratch_bytes = std::max(scratch_bytes, step.kernel->scratch_bytes(threads->threads()));
        steps.push_back(std::move(step));
        PlannedStep& entry = planned.emplace_back();
        entry.title = title_of(graph, scheduled);
        entry.backend = scheduled.backend->name();
        entry.reason = scheduled.reason;
        entry.work = work;
        std::ranges::transform(nodes, std::back_inserter(entry.nodes),
                               [&](const graph::Node* node) { return title(graph, *node); });
    }
    return {};
}

// Lowers with the weights that an earlier process packed, or keeps them for the next.
Status Executable::State::lower_with_cache(std::string_view processor) {
    const PackedScope scope(packed_place(graph, schedule, processor));
    SLUICE_TRY(lower());
    if (const Status saved = scope.save(); !saved) {
        log::info("runtime", "packed weights are not kept: {}", saved.error().message);
    }
    return {};
}

// Takes a segment's memory for the operand, where the host sees it and the operand has none yet.
Status Executable::State::place_at(graph::OperandId id, std::span<std::byte> memory) {
    const graph::OperandId root = schedule.roots[graph::index(id)];
    std::byte*& address = addresses[graph::index(root)];
    if (memory.empty() || address != nullptr ||
        graph.operand(root).kind == graph::OperandKind::Constant) {
        return {};
    }
    if (memory.size() < graph.desc(root).byte_size()) {
        return fail(ErrorCode::Internal, "a device gives {} bytes for a tensor of {}",
                    memory.size(), graph.desc(root).byte_size());
    }
    address = memory.data();
    return {};
}

Status Executable::State::place_on_devices() {
    addresses.assign(graph.operands().size(), nullptr);
    // Outputs first: a tensor between two segments stays where it is made.
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (std::size_t k = 0; steps[i].segment && k < schedule.steps[i].segment.outputs.size();
             ++k) {
            SLUICE_TRY(
                place_at(schedule.steps[i].segment.outputs[k], steps[i].segment->output_memory(k)));
        }
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (std::size_t k = 0; steps[i].segment && k < schedule.steps[i].segment.inputs.size();
             ++k) {
            SLUICE_TRY(
                place_at(schedule.steps[i].segment.inputs[k], steps[i].segment->input_memory(k)));
        }
    }
    return {};
}

// Decides the life of every tensor that needs memory, in steps, and plans the arena.
void Executable::State::lay_out() {
    std::vector<TensorLife> lives;
    slots.assign(graph.operands().size(), std::nullopt);
    const std::size_t end = steps.size();
    const auto touch = [&](graph::OperandId id, std::size_t step) {
        const graph::OperandId root = schedule.roots[graph::index(id)];
        if (graph.operand(root).kind == graph::OperandKind::Constant ||
            addresses[graph::index(root)] != nullptr) {
            return;
        }
        auto& slot = slots[graph::index(root)];
        if (!slot) {
            slot = lives.size();
            lives.push_back({.bytes = graph.desc(root).byte_size(), .first = step, .last = step});
        }
        lives[*slot].last = std::max(lives[*slot].last, step);
    };
    // Callers may write an input once and run many times, and read outputs after the run.
    for (const auto& input : graph.inputs()) {
        touch(input.id, 0);
        touch(input.id, end);
    }
    for (std::size_t i = 0; i < end; ++i) {
        const Segment& segment = schedule.steps[i].segment;
        std::ranges::for_each(segment.inputs, [&](auto id) { touch(id, i); });
        std::ranges::for_each(segment.outputs, [&](auto id) { touch(id, i); });
    }
    for (const auto& output : graph.outputs()) {
        touch(output.id, end);
    }
    plan = plan_memory(lives, kTensorAlignment);
}

Status Executable::State::allocate_arena() {
    const auto total = checked_add(plan.arena_bytes, align_up(scratch_bytes, kTensorAlignment));
    if (!total) {
        return fail(ErrorCode::OutOfMemory, "the arena's size overflows");
    }
    SLUICE_TRY_ASSIGN(arena, allocate(*total));
    std::fill_n(arena.get(), *total, std::byte{0});
    scratch = arena.get() + plan.arena_bytes;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const std::size_t root = graph::index(schedule.roots[i]);
        if (const auto slot = slots[root]) {
            addresses[i] = arena.get() + plan.offsets[*slot] + schedule.offsets[i];
        } else { // of a device: no view of a part
            addresses[i] = addresses[root];
        }
    }
    for (const auto& input : graph.inputs()) {
        std::fill_n(addresses[graph::index(input.id)], graph.desc(input.id).byte_size(),
                    std::byte{0});
    }
    return {};
}

void Executable::State::bind() {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        Step& step = steps[i];
        const Segment& segment = schedule.steps[i].segment;
        for (const graph::OperandId id : segment.inputs) {
            const graph::Operand& operand = graph.operand(id);
            step.inputs.push_back(operand.kind == graph::OperandKind::Constant
                                      ? operand.data.bytes.data()
                                      : addresses[graph::index(id)]);
        }
        for (const graph::OperandId id : segment.outputs) {
            step.outputs.push_back(addresses[graph::index(id)]);
        }
        if (step.segment == nullptr) {
            continue;
        }
        border_bytes += step.segment->border_bytes();
        const auto count_copy = [&](graph::OperandId id, const std::byte* here,
                                    std::span<const std::byte> there) {
            border_bytes += there.empty() || here == there.data() ? 0 : graph.desc(id).byte_size();
        };
        for (std::size_t k = 0; k < step.inputs.size(); ++k) {
            count_copy(segment.inputs[k], step.inputs[k], step.segment->input_memory(k));
        }
        for (std::size_t k = 0; k < step.outputs.size(); ++k) {
            count_copy(segment.outputs[k], step.outputs[k], step.segment->output_memory(k));
        }
    }
    const auto describe = [&](const graph::NamedOperand& named) {
        return TensorInfo{.name = named.name, .desc = graph.desc(named.id)};
    };
    std::ranges::transform(graph.inputs(), std::back_inserter(inputs), describe);
    std::ranges::transform(graph.outputs(), std::back_inserter(outputs), describe);
}

void Executable::State::find_program() {
    const bool whole = steps.size() == 1 && steps[0].segment != nullptr &&
                       std::ranges::equal(schedule.steps[0].segment.inputs, graph.inputs(), {}, {},
                                          &graph::NamedOperand::id) &&
                       std::ranges::equal(schedule.steps[0].segment.outputs, graph.outputs(), {},
                                          {}, &graph::NamedOperand::id);
    program = whole ? steps[0].segment : nullptr;
}

Result<std::unique_ptr<Executable>> Executable::compile(graph::Graph graph,
                                                        const CompileOptions& options) {
    // Now: passes make other constants of a sealed model's.
    const bool may_cache = !options.processor.empty() && !has_confidential_constants(graph);
    if (options.optimize) {
        passes::PassOptions passes;
        // On the host: a device would upload, run and download a node at a time.
        std::vector<const Backend*> host;
        std::ranges::copy_if(options.backends, std::back_inserter(host),
                             [](const Backend* backend) { return !backend->lowers_segments(); });
        passes.context.evaluate = [host](const graph::GraphParts& parts, const graph::Node& node) {
            return evaluate(parts, node, host);
        };
        // A device computes in float16 itself, and has none of the quantised operators: what it
        // computes in floats by itself would go to the host.
        passes.context.on_host = host.size() == options.backends.size();
        SLUICE_TRY_ASSIGN(graph, passes::run_passes(std::move(graph), passes));
    }
    SLUICE_TRY_ASSIGN(const auto assignments, partition(graph, options.backends));
    auto state = std::make_unique<State>(std::move(graph));
    state->threads = ThreadPool::shared(options.threads);
    state->schedule = make_schedule(state->graph, assignments);
    SLUICE_TRY(may_cache ? state->lower_with_cache(options.processor) : state->lower());
    SLUICE_TRY(state->place_on_devices());
    state->lay_out();
    SLUICE_TRY(state->allocate_arena());
    state->bind();
    state->find_program();
    return std::unique_ptr<Executable>(new Executable(std::move(state)));
}

} // namespace sluice::runtime
