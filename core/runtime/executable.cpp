// SPDX-License-Identifier: Apache-2.0
// Executable: compilation of a graph into kernels over one arena.
#include "core/runtime/executable.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <iterator>
#include <new>
#include <optional>
#include <ranges>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/log.h"
#include "core/passes/pass_manager.h"
#include "core/runtime/aligned_bytes.h"
#include "core/runtime/evaluate.h"
#include "core/runtime/memory_plan.h"
#include "core/runtime/packed_cache.h"
#include "core/runtime/partition.h"
#include "core/runtime/schedule.h"
#include "core/runtime/thread_pool.h"

namespace sluice::runtime {

namespace {

// The first of many bytes.
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

Result<AlignedBytes> allocate(std::size_t bytes) {
    void* memory = ::operator new(std::max<std::size_t>(bytes, 1),
                                  std::align_val_t{kTensorAlignment}, std::nothrow);
    if (memory == nullptr) {
        return fail(ErrorCode::OutOfMemory, "cannot allocate an arena of {} bytes", bytes);
    }
    return AlignedBytes(static_cast<std::byte*>(memory));
}

// A kernel with the addresses it runs on.
struct Step {
    std::unique_ptr<Kernel> kernel;
    SegmentKernel* segment = nullptr; // the kernel, where it is one
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
};

std::string title_of(const graph::Graph& graph, const ScheduledStep& step) {
    const auto& nodes = step.segment.nodes;
    if (nodes.size() == 1) {
        return title(graph, *nodes[0]);
    }
    return std::format("{} nodes, {} to {}", nodes.size(), title(graph, *nodes.front()),
                       title(graph, *nodes.back()));
}

} // namespace

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

Executable::Executable(std::unique_ptr<State> state) : state_(std::move(state)) {}
Executable::~Executable() = default;

std::span<const TensorInfo> Executable::inputs() const {
    return state_->inputs;
}

std::span<const TensorInfo> Executable::outputs() const {
    return state_->outputs;
}

std::span<std::byte> Executable::input(std::size_t i) {
    const graph::OperandId id = state_->graph.inputs()[i].id;
    return {state_->addresses[graph::index(id)], state_->graph.desc(id).byte_size()};
}

std::span<const std::byte> Executable::output(std::size_t i) const {
    const graph::OperandId id = state_->graph.outputs()[i].id;
    return {state_->addresses[graph::index(id)], state_->graph.desc(id).byte_size()};
}

std::span<float> Executable::input_floats(std::size_t i) {
    const auto bytes = input(i);
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::span<const float> Executable::output_floats(std::size_t i) const {
    const auto bytes = output(i);
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

namespace {

Result<std::size_t> find_tensor(std::span<const TensorInfo> tensors, std::string_view name,
                                std::string_view what) {
    const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
    if (found != tensors.end()) {
        return static_cast<std::size_t>(found - tensors.begin());
    }
    std::string names;
    for (const TensorInfo& tensor : tensors) {
        names += (names.empty() ? "" : ", ") + tensor.name;
    }
    return fail(ErrorCode::NotFound, "there is no {} '{}'; there are: {}", what, name, names);
}

} // namespace

Result<std::size_t> Executable::input_index(std::string_view name) const {
    return find_tensor(state_->inputs, name, "input");
}

Result<std::size_t> Executable::output_index(std::string_view name) const {
    return find_tensor(state_->outputs, name, "output");
}

Status Executable::run() {
    for (const Step& step : state_->steps) {
        SLUICE_TRY(state_->run_step(step));
    }
    return {};
}

SegmentKernel* Executable::program() {
    return state_->program;
}

std::uint64_t Executable::border_bytes() const {
    return state_->border_bytes;
}

const graph::Graph& Executable::graph() const {
    return state_->graph;
}

std::span<const PlannedStep> Executable::steps() const {
    return state_->planned;
}

std::size_t Executable::arena_bytes() const {
    return state_->plan.arena_bytes;
}

std::size_t Executable::unshared_bytes() const {
    return state_->plan.unshared_bytes;
}

std::size_t Executable::scratch_bytes() const {
    return state_->scratch_bytes;
}

unsigned Executable::threads() const {
    return state_->threads->threads();
}

Result<std::vector<std::uint64_t>> Executable::profile() {
    std::vector<std::uint64_t> nanoseconds;
    nanoseconds.reserve(state_->steps.size());
    for (const Step& step : state_->steps) {
        const auto begin = std::chrono::steady_clock::now();
        SLUICE_TRY(state_->run_step(step));
        nanoseconds.push_back(static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count()));
    }
    return nanoseconds;
}

} // namespace sluice::runtime
