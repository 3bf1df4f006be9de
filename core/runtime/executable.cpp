// SPDX-License-Identifier: Apache-2.0
// Executable: compilation of a graph into kernels over one arena.
#include "core/runtime/executable.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <new>
#include <optional>
#include <ranges>
#include <utility>

#include "core/base/checked_math.h"
#include "core/passes/pass_manager.h"
#include "core/runtime/evaluate.h"
#include "core/runtime/memory_plan.h"
#include "core/runtime/partition.h"
#include "core/runtime/thread_pool.h"

namespace sluice::runtime {

namespace {

struct AlignedDelete {
    void operator()(std::byte* memory) const {
        ::operator delete(memory, std::align_val_t{kTensorAlignment});
    }
};
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
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
};

// A reshape moves no bytes: its result is the operand it reads, under another shape. The root is
// the operand that owns the memory.
std::vector<graph::OperandId> alias_roots(const graph::Graph& graph) {
    std::vector<graph::OperandId> roots(graph.operands().size());
    for (std::size_t i = 0; i < roots.size(); ++i) {
        roots[i] = graph::OperandId(static_cast<std::uint32_t>(i));
    }
    const auto is_output = [&](graph::OperandId id) {
        return std::ranges::contains(graph.outputs(), id, &graph::NamedOperand::id);
    };
    for (const graph::Node& node : graph.nodes()) {
        if (!std::holds_alternative<ops::Reshape>(node.attributes)) {
            continue;
        }
        const graph::OperandId source = roots[graph::index(node.inputs[0])];
        // Inputs, constants and outputs keep memory of their own: callers read and write them.
        if (graph.operand(source).kind == graph::OperandKind::Result && !is_output(source) &&
            !is_output(node.outputs[0])) {
            roots[graph::index(node.outputs[0])] = source;
        }
    }
    return roots;
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
    std::vector<std::byte*> addresses; // by operand; null for constants

    [[nodiscard]] Status lay_out();
    [[nodiscard]] Status lower(std::span<const Assignment> assignments);
    [[nodiscard]] Status allocate_arena();
    void bind();
    void run_step(const Step& step) const {
        step.kernel->run({.inputs = step.inputs,
                          .outputs = step.outputs,
                          .scratch = scratch,
                          .threads = *threads});
    }

    std::vector<graph::OperandId> roots;
    std::vector<std::optional<std::size_t>> slots; // by operand: index into plan.offsets
    std::vector<const graph::Node*> nodes;         // of steps
    std::size_t scratch_bytes = 0;
};

// Decides the life of every tensor that needs memory, in steps, and plans the arena.
Status Executable::State::lay_out() {
    roots = alias_roots(graph);
    std::vector<TensorLife> lives;
    slots.assign(graph.operands().size(), std::nullopt);
    const std::size_t end = graph.nodes().size();
    const auto touch = [&](graph::OperandId id, std::size_t step) {
        const graph::OperandId root = roots[graph::index(id)];
        if (graph.operand(root).kind == graph::OperandKind::Constant) {
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
        const graph::Node& node = graph.nodes()[i];
        std::ranges::for_each(node.inputs, [&](auto id) { touch(id, i); });
        std::ranges::for_each(node.outputs, [&](auto id) { touch(id, i); });
    }
    for (const auto& output : graph.outputs()) {
        touch(output.id, end);
    }
    plan = plan_memory(lives, kTensorAlignment);
    return {};
}

Status Executable::State::lower(std::span<const Assignment> assignments) {
    for (std::size_t i = 0; i < assignments.size(); ++i) {
        const graph::Node& node = graph.nodes()[i];
        const bool moves_nothing =
            std::holds_alternative<ops::Reshape>(node.attributes) &&
            roots[graph::index(node.outputs[0])] == roots[graph::index(node.inputs[0])];
        if (moves_nothing) {
            continue;
        }
        auto kernel = assignments[i].backend->lower(graph, node);
        if (!kernel) {
            return std::unexpected(std::move(kernel).error().within(title(graph, node)));
        }
        scratch_bytes = std::max(scratch_bytes, (*kernel)->scratch_bytes(threads->threads()));
        steps.push_back({.kernel = std::move(*kernel), .inputs = {}, .outputs = {}});
        planned.push_back({.title = title(graph, node),
                           .backend = assignments[i].backend->name(),
                           .reason = assignments[i].reason});
        nodes.push_back(&node);
    }
    return {};
}

Status Executable::State::allocate_arena() {
    const auto total = checked_add(plan.arena_bytes, align_up(scratch_bytes, kTensorAlignment));
    if (!total) {
        return fail(ErrorCode::OutOfMemory, "the arena's size overflows");
    }
    SLUICE_TRY_ASSIGN(arena, allocate(*total));
    std::fill_n(arena.get(), *total, std::byte{0});
    scratch = arena.get() + plan.arena_bytes;
    addresses.assign(graph.operands().size(), nullptr);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (const auto slot = slots[graph::index(roots[i])]) {
            addresses[i] = arena.get() + plan.offsets[*slot];
        }
    }
    return {};
}

void Executable::State::bind() {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (const graph::OperandId id : nodes[i]->inputs) {
            const graph::Operand& operand = graph.operand(id);
            steps[i].inputs.push_back(operand.kind == graph::OperandKind::Constant
                                          ? operand.data.bytes.data()
                                          : addresses[graph::index(id)]);
        }
        for (const graph::OperandId id : nodes[i]->outputs) {
            steps[i].outputs.push_back(addresses[graph::index(id)]);
        }
    }
    const auto describe = [&](const graph::NamedOperand& named) {
        return TensorInfo{.name = named.name, .desc = graph.desc(named.id)};
    };
    std::ranges::transform(graph.inputs(), std::back_inserter(inputs), describe);
    std::ranges::transform(graph.outputs(), std::back_inserter(outputs), describe);
}

Result<std::unique_ptr<Executable>> Executable::compile(graph::Graph graph,
                                                        const CompileOptions& options) {
    if (options.optimize) {
        passes::PassOptions passes;
        passes.context.evaluate = [&](const graph::GraphParts& parts, const graph::Node& node) {
            return evaluate(parts, node, options.backends);
        };
        SLUICE_TRY_ASSIGN(graph, passes::run_passes(std::move(graph), passes));
    }
    SLUICE_TRY_ASSIGN(const auto assignments, partition(graph, options.backends));
    auto state = std::make_unique<State>(std::move(graph));
    state->threads = ThreadPool::shared(options.threads);
    SLUICE_TRY(state->lay_out());
    SLUICE_TRY(state->lower(assignments));
    SLUICE_TRY(state->allocate_arena());
    state->bind();
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

void Executable::run() {
    for (const Step& step : state_->steps) {
        state_->run_step(step);
    }
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

unsigned Executable::threads() const {
    return state_->threads->threads();
}

std::vector<std::uint64_t> Executable::profile() {
    std::vector<std::uint64_t> nanoseconds;
    nanoseconds.reserve(state_->steps.size());
    for (const Step& step : state_->steps) {
        const auto begin = std::chrono::steady_clock::now();
        state_->run_step(step);
        nanoseconds.push_back(static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count()));
    }
    return nanoseconds;
}

} // namespace sluice::runtime
