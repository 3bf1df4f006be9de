// SPDX-License-Identifier: Apache-2.0
// The passes: what they rewrite, what they leave alone, and that the meaning stays.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <random>
#include <variant>

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
    OperandId conv_nchw(OperandId x, std::uint32_t from, std::uint32_t to) {
        return must(
            builder.conv2d(x, weights({to, from, 3, 3}), {.padding = {1, 1, 1, 1}}, weights({to})));
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

// How many nodes of a kind the optimised graph has.
template <typename Op>
std::ptrdiff_t count_of(const Graph& graph) {
    return std::ranges::count_if(graph.nodes(), [](const graph::Node& node) {
        return std::holds_alternative<Op>(node.attributes);
    });
}

bool all_nhwc(const Graph& graph) {
    return std::ranges::all_of(graph.nodes(), [](const graph::Node& node) {
        const auto* conv = std::get_if<ops::Conv2d>(&node.attributes);
        const auto* pool = std::get_if<ops::Pool2d>(&node.attributes);
        return (conv == nullptr || conv->input_layout == ops::InputLayout::Nhwc) &&
               (pool == nullptr || pool->layout == ops::InputLayout::Nhwc);
    });
}

void expect_transpositions(const Graph& original, std::ptrdiff_t expected) {
    const Graph optimized = optimize(original);
    EXPECT_TRUE(all_nhwc(optimized));
    EXPECT_EQ(count_of<ops::Transpose>(optimized), expected);
    const auto before = run(original, 1);
    const auto after = run(optimized, 1);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        ASSERT_NEAR(after[i], before[i], 1e-4) << "element " << i;
    }
}

TEST(Layout, pictures_are_transposed_where_they_come_in_and_go_out) {
    Net net;
    const auto x = net.input({2, 3, 6, 5});
    const auto first = must(net.builder.relu(net.conv_nchw(x, 3, 4)));
    const auto scaled = must(net.builder.mul(first, net.weights({4, 1, 1})));
    const auto pooled = must(net.builder.pool2d(
        scaled, {.kind = ops::PoolKind::Max, .window = {2, 2}, .strides = {2, 2}}));
    expect_transpositions(net.build(net.conv_nchw(pooled, 4, 6)), 2);
}

TEST(Layout, concat_split_pad_slice_and_resampling_follow) {
    Net net;
    const auto x = net.input({1, 3, 4, 6});
    const auto a = net.conv_nchw(x, 3, 4);
    const auto b = net.conv_nchw(x, 3, 2);
    const std::array both{a, b};
    const auto joined = must(net.builder.concat(both, 1));
    const auto pieces = must(net.builder.split(joined, {.sizes = {1, 5}, .axis = 1}));
    const auto padded = must(net.builder.pad(
        pieces[1], {.beginning = {0, 1, 2, 0}, .ending = {0, 0, 1, 3}, .value = 0.5}));
    const auto part =
        must(net.builder.slice(padded, {.starts = {0, 1, 0, 2}, .sizes = {1, 5, 6, 5}}));
    const auto larger = must(net.builder.resample2d(
        part, {.mode = ops::Interpolation::Linear, .axes = {2, 3}, .sizes = {12, 10}}));
    const auto soft = must(net.builder.softmax(larger, 1));
    const auto mean = must(net.builder.reduce(ops::ReduceKind::Mean, soft, {{1, 3}}, true));
    expect_transpositions(net.build(must(net.builder.sub(soft, mean))), 2);
}

TEST(Layout, transpositions_of_the_graph_itself_cancel) {
    Net net;
    const auto x = net.input({1, 6, 5, 3});
    const auto nchw = must(net.builder.transpose(x, {0, 3, 1, 2}));
    const auto y = must(net.builder.sigmoid(net.conv_nchw(nchw, 3, 4)));
    expect_transpositions(net.build(must(net.builder.transpose(y, {0, 2, 3, 1}))), 0);
}

TEST(Layout, operators_that_name_their_axes_get_the_picture_back) {
    Net net;
    const auto x = net.input({1, 3, 4, 6});
    const auto y = net.conv_nchw(x, 3, 2);
    expect_transpositions(net.build(must(net.builder.reshape(y, {2, 24}))), 2);
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
    // 256 MiB each: four fit the gibibyte that folding may add, the fifth does not.
    constexpr std::uint32_t kSide = 8192;
    constexpr std::size_t kBytes = std::size_t{kSide} * kSide * sizeof(float);
    const std::shared_ptr<void> zeros(std::calloc(kBytes, 1), std::free); // never touched
    Net net;
    auto sum = net.input({kSide, kSide});
    for (int i = 0; i < 5; ++i) {
        const auto scalar = must(net.builder.constant(DataType::Float32, 2.0));
        sum = must(net.builder.add(sum, must(net.builder.expand(scalar, {kSide, kSide}))));
    }
    PassOptions options;
    options.context.evaluate = [&](const graph::GraphParts&, const graph::Node&) {
        return std::vector{graph::ConstantData{
            .owner = zeros, .bytes = {static_cast<const std::byte*>(zeros.get()), kBytes}}};
    };
    const Graph folded = must(run_passes(net.build(sum), options));
    EXPECT_EQ(count_of<ops::Expand>(folded), 1);
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

// A 1x1 convolution, of each channel for itself where `groups` is not 1.
OperandId point(Net& net, OperandId x, std::uint32_t from, std::uint32_t to,
                std::uint32_t groups = 1) {
    return must(net.builder.conv2d(x, net.weights({to, 1, 1, from / groups}),
                                   {.groups = groups,
                                    .input_layout = ops::InputLayout::Nhwc,
                                    .filter_layout = ops::Conv2dFilterLayout::Ohwi},
                                   net.weights({to})));
}

// Sums in another order: as close as float32 is at the results' size.
void expect_close(const Graph& original, std::size_t nodes_after) {
    const Graph optimized = optimize(original);
    EXPECT_EQ(optimized.nodes().size(), nodes_after);
    const auto expected = run(original, 1);
    const auto actual = run(optimized, 1);
    ASSERT_EQ(actual.size(), expected.size());
    float scale = 1.0F;
    for (const float value : expected) {
        scale = std::max(scale, std::abs(value));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 3e-6F * scale) << "element " << i;
    }
}

TEST(LinearProducts, join_a_detour_over_more_channels) {
    Net net;
    const OperandId x = net.input({1, 5, 7, 6});
    const OperandId wide = point(net, x, 6, 24);
    const OperandId y = must(net.builder.relu(must(net.builder.add(point(net, wide, 24, 6), x))));
    expect_close(net.build(y), 1);
}

TEST(LinearProducts, join_all_readers_of_a_window) {
    Net net;
    const OperandId wide = net.conv(net.input({1, 5, 7, 3}), 3, 40);
    const OperandId sum = must(net.builder.mul(point(net, wide, 40, 4),
                                               must(net.builder.sigmoid(point(net, wide, 40, 4)))));
    expect_close(net.build(sum), 3);
}

TEST(LinearProducts, join_scaled_channels_from_both_sides) {
    Net net;
    const OperandId x = net.input({1, 5, 7, 6});
    const OperandId y = point(net, point(net, point(net, x, 6, 6, 6), 6, 5), 5, 5, 5);
    expect_close(net.build(y), 1);
}

TEST(LinearProducts, join_a_transposed_convolution) {
    Net net;
    const OperandId x = net.input({1, 4, 3, 8});
    const ops::ConvTranspose2d options{.strides = {2, 2},
                                       .output_padding = {1, 1},
                                       .input_layout = ops::InputLayout::Nhwc,
                                       .filter_layout = ops::ConvTranspose2dFilterLayout::Hwoi};
    const OperandId larger =
        must(net.builder.conv_transpose2d(x, net.weights({3, 3, 8, 8}), options, net.weights({8})));
    expect_close(net.build(point(net, larger, 8, 2)), 1);
}

TEST(LinearProducts, leave_what_would_take_longer) {
    Net net;
    const OperandId narrow = point(net, net.input({1, 5, 7, 24}), 24, 4);
    expect_close(net.build(point(net, narrow, 4, 24)), 2);
}

TEST(LinearProducts, leave_windows_and_activations) {
    Net net;
    const OperandId x = net.input({1, 5, 7, 4});
    // The bias of the first does not reach the padding of the second.
    const OperandId padded = net.conv(point(net, x, 4, 24), 24, 4);
    const OperandId bent = must(net.builder.relu(point(net, padded, 4, 24)));
    expect_close(net.build(point(net, bent, 24, 4)), 4);
}

} // namespace
} // namespace sluice::passes
