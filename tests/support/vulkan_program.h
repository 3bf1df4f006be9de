// SPDX-License-Identifier: Apache-2.0
// Runs whole graphs as one segment of the Vulkan backend.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "core/runtime/backend.h"
#include "core/runtime/thread_pool.h"
#include "core/vulkan/program.h"

namespace sluice::testing {

// All nodes of a graph, its inputs and its outputs.
[[nodiscard]] inline runtime::Segment whole_graph(const graph::Graph& graph) {
    runtime::Segment segment;
    for (const graph::Node& node : graph.nodes()) {
        segment.nodes.push_back(&node);
    }
    for (const auto& input : graph.inputs()) {
        segment.inputs.push_back(input.id);
    }
    for (const auto& output : graph.outputs()) {
        segment.outputs.push_back(output.id);
    }
    return segment;
}

// Success, or why the backend does not take the first node that it does not take.
[[nodiscard]] inline Status supports_all(const runtime::Backend& backend,
                                         const graph::Graph& graph) {
    for (const graph::Node& node : graph.nodes()) {
        SLUICE_TRY(backend.supports(graph, node));
    }
    return {};
}

// A program with memory for its inputs and outputs that is not the program's own.
class ProgramRun {
public:
    ProgramRun(const runtime::Backend& backend, const graph::Graph& graph)
        : segment_(whole_graph(graph)) {
        auto made = backend.lower_segment(graph, segment_);
        if (!made) {
            ADD_FAILURE() << made.error().message;
            return;
        }
        kernel_ = std::move(*made);
        for (const graph::OperandId id : segment_.inputs) {
            inputs_.emplace_back(graph.desc(id).byte_size());
        }
        for (const graph::OperandId id : segment_.outputs) {
            // What no run has written shows.
            outputs_.emplace_back(graph.desc(id).byte_size(), std::byte{0xA5});
        }
    }

    [[nodiscard]] bool made() const { return kernel_ != nullptr; }
    [[nodiscard]] const vulkan::Program& program() const {
        return dynamic_cast<const vulkan::Program&>(*kernel_);
    }
    [[nodiscard]] std::vector<std::byte>& input(std::size_t i) { return inputs_[i]; }
    [[nodiscard]] std::span<const std::byte> output(std::size_t i) const { return outputs_[i]; }
    [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }

    void run() {
        std::vector<const std::byte*> from;
        std::vector<std::byte*> to;
        for (const auto& input : inputs_) {
            from.push_back(input.data());
        }
        for (auto& output : outputs_) {
            to.push_back(output.data());
        }
        kernel_->run({.inputs = from, .outputs = to, .scratch = nullptr, .threads = *threads_});
        if (const Status status = kernel_->last_run(); !status) {
            ADD_FAILURE() << status.error().message;
        }
    }

private:
    runtime::Segment segment_;
    std::unique_ptr<runtime::SegmentKernel> kernel_;
    std::vector<std::vector<std::byte>> inputs_;
    std::vector<std::vector<std::byte>> outputs_;
    std::shared_ptr<runtime::ThreadPool> threads_ = runtime::ThreadPool::shared(1);
};

} // namespace sluice::testing
