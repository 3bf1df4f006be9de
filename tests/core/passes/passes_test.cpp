// SPDX-License-Identifier: Apache-2.0
// The passes: what they rewrite, what they leave alone, and that the meaning stays.
#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "core/base/float16.h"
#include "core/graph/builder.h"
#include "core/passes/pass_manager.h"
#include "core/reference/backend.h"
#include "core/runtime/evaluate.h"
#include "core/runtime/executable.h"
#include "tests/support/must.h"

namespace sluice::passes {
namespace {

using graph::DataType;
using graph::Graph;
using graph::GraphBuilder;
using graph::OperandId;
using graph::TensorDesc;
using sluice::testing::must;

const std::array<const runtime::Backend*, 1> kReference{&reference::backend()};

Graph optimize(Graph graph) {
    PassOptions options;
    options.context.evaluate = [](const graph::GraphParts& parts, const graph::Node& node) {
        return runtime::evaluate(parts, node, kReference);
    };
    return must(run_passes(std::move(graph), options));
}

std::vector<float> run(Graph graph, std::uint32_t seed) {
    const auto executable = must(runtime::Executable::compile(
        std::move(graph), {.backends = kReference, .threads = 1, .optimize = false}));
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
    for (std::size_t i = 0; i < executable->inputs().size(); ++i) {
        std::ranges::generate(executable->input_floats(i), [&] { return uniform(random); });
    }
    must(executable->run());
    const auto out = executable->output_floats(0);
    return {out.begin(), out.end()};
}

struct Net {
    GraphBuilder builder;

    OperandId input(const graph::Shape& shape) {
        return must(builder.input("x", must(TensorDesc::create(DataType::Float32, shape))));
    }
    OperandId weights(const graph::Shape& shape) {
        std::vector<float> values(shape.element_count());
        std::ranges::generate(values, [&] { return uniform(random); });
        return must(builder.constant(must(TensorDesc::create(DataType::Float32, shape)),
                                     graph::ConstantData::copy<float>(values)));
    }
    OperandId conv(OperandId x, std::uint32_t from, std::uint32_t to, std::uint32_t pad = 1) {
        ops::Conv2d options;
        options.padding = {pad, pad, pad, pad};
        options.input_layout = ops::InputLayout::Nhwc;
        options.filter_layout = ops::Conv2dFilterLayout::Ohwi;
        return must(builder.conv2d(x, weights({to, 3, 3, from}), options, weights({to})));
    }
    Graph build(OperandId out) {
        return must(builder.build({graph::NamedOperand{.name = "out", .id = out}}));
    }

    std::mt19937 random{7};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
};

void expect_same_meaning(const Graph& original, std::size_t nodes_after) {
    const Graph optimized = optimize(original);
    EXPECT_EQ(optimized.nodes().size(), nodes_after);
    const auto expected = run(original, 1);
    const auto actual = run(optimized, 1);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 1e-5) << "element " << i;
    }
}

TEST(Fusion, activation_moves_into_the_convolution) {
    for (const auto kind : {ops::UnaryKind::Relu, ops::UnaryKind::HardSwish,
                            ops::UnaryKind::Sigmoid, ops::UnaryKind::Tanh}) {
        Net net;
        const auto x = net.input({1, 5, 6, 3});
        const auto out = must(net.builder.unary({.kind = kind}, net.conv(x, 3, 4)));
        expect_same_meaning(net.build(out), 1);
    }
}

TEST(Fusion, activation_without_an_epilogue_stays) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    expect_same_meaning(net.build(must(net.builder.sin(net.conv(x, 3, 4)))), 2);
}

TEST(Fusion, sum_and_activation_move_into_the_convolution) {
    Net net;
    const auto x = net.input({1, 5, 6, 4});
    const auto sum = must(net.builder.add(x, net.conv(x, 4, 4)));
    expect_same_meaning(net.build(must(net.builder.relu(sum))), 1);
}

TEST(Fusion, residual_with_padded_channels_needs_no_pad) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const auto wide = must(net.builder.pad(x, {.beginning = {0, 0, 0, 0}, .ending = {0, 0, 0, 2}}));
    const auto sum = must(net.builder.add(net.conv(x, 3, 5), wide));
    expect_same_meaning(net.build(sum), 1);
}

TEST(Fusion, activation_before_the_sum_is_kept_apart) {
    Net net;
    const auto x = net.input({1, 5, 6, 4});
    const auto relu = must(net.builder.relu(net.conv(x, 4, 4)));
    expect_same_meaning(net.build(must(net.builder.add(relu, x))), 2);
}

TEST(Fusion, broadcast_sum_is_no_residual) {
    Net net;
    const auto x = net.input({1, 5, 6, 4});
    const auto mean = must(net.builder.reduce(ops::ReduceKind::Mean, x, {{1, 2}}, true));
    expect_same_meaning(net.build(must(net.builder.add(net.conv(x, 4, 4), mean))), 3);
}

TEST(Fusion, value_with_two_readers_is_not_fused_away) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const auto conv = net.conv(x, 3, 4);
    const auto relu = must(net.builder.relu(conv));
    expect_same_meaning(net.build(must(net.builder.mul(relu, conv))), 3);
}

TEST(Fusion, output_is_not_fused_away) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const auto conv = net.conv(x, 3, 4);
    const auto relu = must(net.builder.relu(conv));
    const Graph graph =
        must(net.builder.build({{.name = "relu", .id = relu}, {.name = "conv", .id = conv}}));
    EXPECT_EQ(optimize(graph).nodes().size(), 2U);
}

TEST(Fusion, spatial_zero_padding_moves_into_the_convolution) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const auto wide = must(net.builder.pad(x, {.beginning = {0, 1, 2, 0}, .ending = {0, 0, 1, 0}}));
    expect_same_meaning(net.build(net.conv(wide, 3, 4, 0)), 1);
}

TEST(Fusion, padding_with_another_value_stays) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const auto wide =
        must(net.builder.pad(x, {.beginning = {0, 1, 1, 0}, .ending = {0, 1, 1, 0}, .value = 0.5}));
    expect_same_meaning(net.build(net.conv(wide, 3, 4, 0)), 2);
}

TEST(ConstantFolding, half_precision_weights_become_single) {
    Net net;
    const auto x = net.input({2, 3});
    std::vector<std::uint16_t> halves;
    for (int i = 0; i < 6; ++i) {
        halves.push_back(float_to_float16(static_cast<float>(i) * 0.25F - 0.5F));
    }
    const auto weights =
        must(net.builder.constant(must(TensorDesc::create(DataType::Float16, graph::Shape{3, 2})),
                                  graph::ConstantData::copy<std::uint16_t>(halves)));
    const auto wide = must(net.builder.cast(weights, DataType::Float32));
    const Graph graph = net.build(must(net.builder.gemm(x, wide)));
    expect_same_meaning(graph, 1);
    // The half-precision bytes are gone with their operand.
    const Graph optimized = optimize(graph);
    for (const auto& operand : optimized.operands()) {
        EXPECT_EQ(operand.desc.type(), DataType::Float32);
    }
}

TEST(ConstantFolding, leaves_a_constant_that_would_grow_out_of_proportion) {
    Net net;
    const auto x = net.input({1024, 1024});
    const auto scalar = must(net.builder.constant(DataType::Float32, 2.0));
    const auto wide = must(net.builder.expand(scalar, {1024, 1024}));
    EXPECT_EQ(optimize(net.build(must(net.builder.mul(x, wide)))).nodes().size(), 2U);
}

TEST(DeadCode, drops_what_no_output_needs_and_keeps_inputs) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    static_cast<void>(net.conv(x, 3, 16));
    const auto unused = must(
        net.builder.input("unused", must(TensorDesc::create(DataType::Float32, graph::Shape{2}))));
    static_cast<void>(unused);
    const Graph graph = net.build(must(net.builder.sin(x)));
    const Graph optimized = optimize(graph);
    EXPECT_EQ(optimized.nodes().size(), 1U);
    EXPECT_EQ(optimized.inputs().size(), 2U);
    EXPECT_EQ(optimized.operands().size(), 3U);
}

TEST(PassManager, disabled_pass_does_not_run) {
    Net net;
    const auto x = net.input({1, 5, 6, 3});
    const Graph graph = net.build(must(net.builder.relu(net.conv(x, 3, 4))));
    constexpr std::array<std::string_view, 1> kDisabled{"fusion"};
    PassOptions options;
    options.disabled = kDisabled;
    EXPECT_EQ(must(run_passes(graph, options)).nodes().size(), 2U);
}

} // namespace
} // namespace sluice::passes
