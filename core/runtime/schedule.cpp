// SPDX-License-Identifier: Apache-2.0
// Grouping of nodes into steps, and the operands that cross their borders.
#include "core/runtime/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/runtime/views.h"

namespace sluice::runtime {

namespace {

bool on_device(const Assignment& assignment) {
    return assignment.backend->lowers_segments();
}

// By node: the nodes of the host backend's run that it begins; 1 where it is alone, 0 behind the
// first of a run.
std::vector<std::size_t> find_runs(const graph::Graph& graph,
                                   std::span<const Assignment> assignments) {
    std::vector<std::size_t> runs(assignments.size(), 1);
    for (std::size_t i = 0; i < runs.size();) {
        const Backend* const backend = assignments[i].backend;
        const std::size_t length = on_device(assignments[i]) ? 1 : backend->run_length(graph, i);
        const auto nodes = assignments.subspan(i, std::min(length, runs.size() - i));
        const bool whole = std::ranges::all_of(
            nodes, [&](const Assignment& other) { return other.backend == backend; });
        if (whole && length > 1) {
            std::fill_n(runs.begin() + static_cast<std::ptrdiff_t>(i), nodes.size(),
                        std::size_t{0});
            runs[i] = nodes.size();
        }
        i += std::max<std::size_t>(runs[i], 1);
    }
    return runs;
}

// Finds what crosses the borders of segments.
class Borders {
public:
    // `step_of` by node: the index of its step.
    Borders(const graph::Graph& graph, std::span<const std::size_t> step_of)
        : graph_(graph), producer_(graph.operands().size(), kNone),
          read_outside_(graph.operands().size(), false) {
        for (std::size_t i = 0; i < step_of.size(); ++i) {
            const graph::Node& node = graph.nodes()[i];
            for (const graph::OperandId id : node.inputs) {
                const std::size_t made = producer_[graph::index(id)];
                if (made != kNone && made != step_of[i]) {
                    read_outside_[graph::index(id)] = true;
                }
            }
            for (const graph::OperandId id : node.outputs) {
                producer_[graph::index(id)] = step_of[i];
            }
        }
        for (const graph::NamedOperand& output : graph.outputs()) {
            read_outside_[graph::index(output.id)] = true;
        }
    }

    // Inputs and outputs of the graph come first, in the graph's order.
    void find(Segment& segment, std::size_t step) const {
        std::vector<std::uint8_t> reads(producer_.size(), 0); // and not taken yet
        const auto take_input = [&](graph::OperandId id) {
            if (std::exchange(reads[graph::index(id)], 0) != 0) {
                segment.inputs.push_back(id);
            }
        };
        for (const graph::Node* node : segment.nodes) {
            for (const graph::OperandId id : node->inputs) {
                reads[graph::index(id)] = graph_.operand(id).kind != graph::OperandKind::Constant &&
                                          producer_[graph::index(id)] != step;
            }
        }
        for (const graph::NamedOperand& input : graph_.inputs()) {
            take_input(input.id);
        }
        for (const graph::Node* node : segment.nodes) {
            std::ranges::for_each(node->inputs, take_input);
        }
        const auto take_output = [&](graph::OperandId id) {
            const bool crosses =
                producer_[graph::index(id)] == step && read_outside_[graph::index(id)];
            if (crosses && !std::ranges::contains(segment.outputs, id)) {
                segment.outputs.push_back(id);
            }
        };
        for (const graph::NamedOperand& output : graph_.outputs()) {
            take_output(output.id);
        }
        for (const graph::Node* node : segment.nodes) {
            std::ranges::for_each(node->outputs, take_output);
        }
    }

private:
    static constexpr std::size_t kNone = SIZE_MAX;
    const graph::Graph& graph_;
    std::vector<std::size_t> producer_; // by operand: its step
    std::vector<bool> read_outside_;    // by operand: of its step
};

} // namespace

Schedule make_schedule(const graph::Graph& graph, std::span<const Assignment> assignments) {
    Schedule schedule;
    const std::vector<std::size_t> runs = find_runs(graph, assignments);
    Views views = find_views(graph, assignments, runs);
    schedule.roots = std::move(views.roots);
    schedule.offsets = std::move(views.offsets);
    std::vector<ScheduledStep>& steps = schedule.steps;
    std::vector<std::size_t> step_of;
    for (std::size_t i = 0; i < assignments.size(); ++i) {
        const graph::Node& node = graph.nodes()[i];
        const Assignment& assignment = assignments[i];
        if (views.moves_nothing[i]) {
            step_of.push_back(SIZE_MAX - 1); // of no step, and not of none
            continue;
        }
        const bool device = on_device(assignment);
        const bool continues = device && !steps.empty() &&
                               steps.back().backend == assignment.backend && i > 0 &&
                               step_of.back() == steps.size() - 1;
        const bool inside_run = runs[i] == 0;
        if (!continues && !inside_run) {
            steps.push_back({.backend = assignment.backend,
                             .on_device = device,
                             .segment = {},
                             .reason = assignment.reason});
        }
        steps.back().segment.nodes.push_back(&node);
        step_of.push_back(steps.size() - 1);
    }
    const Borders borders(graph, step_of);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        Segment& segment = steps[i].segment;
        if (steps[i].on_device || segment.nodes.size() > 1) {
            borders.find(segment, i);
        } else {
            segment.inputs = segment.nodes[0]->inputs;
            segment.outputs = segment.nodes[0]->outputs;
        }
    }
    return schedule;
}

} // namespace sluice::runtime
