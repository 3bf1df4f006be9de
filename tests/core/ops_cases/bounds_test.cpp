// SPDX-License-Identifier: Apache-2.0
// Kernels touch no byte outside of their tensors: every case once with each tensor just before a
// forbidden page, and once just behind one.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"
#include "core/runtime/thread_pool.h"
#include "tests/core/ops_cases/case.h"
#include "tests/support/guarded_memory.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/must.h"

namespace sluice::testing {
namespace {

// Runs the one node of a case on guarded tensors and returns its outputs.
std::vector<GuardedMemory> run_guarded(const OpCase& test, const runtime::Backend& backend,
                                       GuardedMemory::Side side) {
    const graph::Graph graph = must(build_case(test));
    const graph::Node& node = graph.nodes()[0];
    const auto kernel = must(backend.lower(graph, node));
    std::vector<GuardedMemory> inputs;
    std::vector<const std::byte*> input_pointers;
    for (const CaseOperand& operand : test.operands) {
        const auto bytes = bytes_of(operand);
        inputs.emplace_back(bytes.size(), side);
        std::ranges::copy(bytes, inputs.back().bytes().begin());
        input_pointers.push_back(inputs.back().bytes().data());
    }
    std::vector<GuardedMemory> outputs;
    std::vector<std::byte*> output_pointers;
    for (const graph::OperandId id : node.outputs) {
        outputs.emplace_back(graph.desc(id).byte_size(), side);
        output_pointers.push_back(outputs.back().bytes().data());
    }
    static const auto pool = runtime::ThreadPool::shared(2);
    // Scratch is promised to be aligned, which its end then is only where its size is.
    const std::size_t scratch_bytes =
        (kernel->scratch_bytes(pool->threads()) + runtime::kTensorAlignment - 1) /
        runtime::kTensorAlignment * runtime::kTensorAlignment;
    const GuardedMemory scratch(scratch_bytes, side);
    kernel->run({.inputs = input_pointers,
                 .outputs = output_pointers,
                 .scratch = scratch.bytes().data(),
                 .threads = *pool});
    return outputs;
}

void expect_same_within_bounds(const runtime::Backend& backend) {
    for (const OpCase& test : all_cases()) {
        const graph::Graph graph = must(build_case(test));
        if (!backend.supports(graph, graph.nodes()[0])) {
            continue;
        }
        SCOPED_TRACE(test.name);
        const auto at_end = run_guarded(test, backend, GuardedMemory::Side::AtEnd);
        const auto at_beginning = run_guarded(test, backend, GuardedMemory::Side::AtBeginning);
        ASSERT_EQ(at_end.size(), at_beginning.size());
        for (std::size_t i = 0; i < at_end.size(); ++i) {
            // Nor may a result depend on where the tensors lie.
            ASSERT_TRUE(std::ranges::equal(at_end[i].bytes(), at_beginning[i].bytes()));
        }
    }
}

TEST(Bounds, reference_kernels_stay_within_their_tensors) {
    expect_same_within_bounds(reference::backend());
}

TEST(Bounds, cpu_kernels_stay_within_their_tensors) {
    for_each_instruction_set([] { expect_same_within_bounds(cpu::backend()); });
}

} // namespace
} // namespace sluice::testing
