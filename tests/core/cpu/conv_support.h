// SPDX-License-Identifier: Apache-2.0
// What the tests of the convolution kernels share: random tensors, one-node graphs, every
// instruction set of this machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/aligned_allocator.h>

#include "core/cpu/backend.h"
#include "core/graph/graph.h"
#include "core/runtime/thread_pool.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/must.h"

namespace sluice::test {

using testing::for_each_instruction_set;
using testing::must;

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    [[nodiscard]] std::vector<float> floats(std::size_t count) {
        std::uniform_real_distribution<float> range(-1.0F, 1.0F);
        std::vector<float> values(count);
        for (float& value : values) {
            value = range(engine_);
        }
        return values;
    }

private:
    std::mt19937 engine_;
};

// A graph of one node: operand 0 is the graph input, all others are as given.
struct NodeInput {
    graph::Shape shape;
    std::vector<float> values;
    bool constant = false;
};

inline graph::Graph one_node_graph(const ops::Attributes& attributes,
                                   std::span<const NodeInput> inputs) {
    graph::GraphParts parts;
    graph::Node node{.attributes = attributes, .inputs = {}, .outputs = {}, .label = "node"};
    std::vector<graph::TensorDesc> descs;
    for (const NodeInput& input : inputs) {
        const auto desc = must(graph::TensorDesc::create(graph::DataType::Float32, input.shape));
        descs.push_back(desc);
        const std::string name = "x" + std::to_string(parts.operands.size());
        const graph::OperandId id = parts.add(
            {.desc = desc,
             .kind = input.constant ? graph::OperandKind::Constant : graph::OperandKind::Input,
             .name = name,
             .data = input.constant
                         ? graph::ConstantData::copy(std::span<const float>(input.values))
                         : graph::ConstantData{}});
        if (!input.constant) {
            parts.inputs.push_back({name, id});
        }
        node.inputs.push_back(id);
    }
    const auto outputs = must(ops::infer(attributes, descs));
    const graph::OperandId out = parts.add(
        {.desc = outputs[0], .kind = graph::OperandKind::Result, .name = "y", .data = {}});
    parts.outputs.push_back({"y", out});
    node.outputs.push_back(out);
    parts.nodes.push_back(std::move(node));
    return must(graph::Graph::create(std::move(parts)));
}

// Lowers and runs the node. Every tensor is a heap block of its exact size, so that the address
// sanitizer sees any access beyond it.
inline std::vector<float> run_on_cpu(const ops::Attributes& attributes,
                                     std::span<const NodeInput> inputs, unsigned threads) {
    const graph::Graph graph = one_node_graph(attributes, inputs);
    const graph::Node& node = graph.nodes()[0];
    const auto supported = cpu::backend().supports(graph, node);
    if (!supported) {
        ADD_FAILURE() << supported.error().message;
        return {};
    }
    const auto kernel = must(cpu::backend().lower(graph, node));
    std::vector<std::unique_ptr<float[]>> copies;
    std::vector<const std::byte*> pointers;
    for (const NodeInput& input : inputs) {
        auto copy = std::make_unique<float[]>(input.values.size());
        std::ranges::copy(input.values, copy.get());
        pointers.push_back(reinterpret_cast<const std::byte*>(copy.get()));
        copies.push_back(std::move(copy));
    }
    const std::size_t count = graph.desc(node.outputs[0]).element_count();
    auto output = std::make_unique<float[]>(count);
    std::fill_n(output.get(), count, 12345.0F); // what is never written shows
    std::byte* const outputs[] = {reinterpret_cast<std::byte*>(output.get())};
    const auto scratch = hwy::AllocateAligned<std::byte>(kernel->scratch_bytes(threads) + 1);
    std::fill_n(scratch.get(), kernel->scratch_bytes(threads), std::byte{0xFF}); // NaN
    runtime::ThreadPool pool(threads);
    kernel->run(
        {.inputs = pointers, .outputs = outputs, .scratch = scratch.get(), .threads = pool});
    return {output.get(), output.get() + count};
}

// The activation in double precision.
[[nodiscard]] inline double activate(const ops::Activation& a, double x) {
    using enum ops::UnaryKind;
    switch (a.kind) {
    case Relu: return x > 0 ? x : 0;
    case Clamp: return x < a.alpha ? a.alpha : (x > a.beta ? a.beta : x);
    case LeakyRelu: return x < 0 ? a.alpha * x : x;
    case Elu: return x > 0 ? x : a.alpha * std::expm1(x);
    case HardSwish: return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
    case HardSigmoid: return std::clamp(a.alpha * x + a.beta, 0.0, 1.0);
    case Sigmoid: return 1.0 / (1.0 + std::exp(-x));
    case Tanh: return std::tanh(x);
    case Linear: return a.alpha * x + a.beta;
    default: return x;
    }
}

// Each value within `tolerance` relative to the sum of magnitudes that went into it.
inline void expect_close(std::span<const float> actual, std::span<const double> expected,
                         std::span<const double> magnitude) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double limit = 1e-6 + 2e-6 * magnitude[i];
        ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], limit) << "at " << i;
    }
}

} // namespace sluice::test
