// SPDX-License-Identifier: Apache-2.0
// What is computed in float16 is computed in float32 on hosts: nothing else changes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/float16.h"
#include "core/cpu/backend.h"
#include "core/graph/builder.h"
#include "core/passes/pass_manager.h"
#include "core/reference/backend.h"
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

const std::vector<const runtime::Backend*> kHost{&cpu::backend(), &reference::backend()};

TensorDesc desc_of(DataType type, const graph::Shape& shape) {
    return must(TensorDesc::create(type, shape));
}

Graph build(GraphBuilder& builder, OperandId out) {
    return must(builder.build({graph::NamedOperand{.name = "out", .id = out}}));
}

// This pass alone.
Graph widen(Graph graph, bool on_host = true) {
    std::vector<std::string_view> others;
    for (const Pass& pass : passes()) {
        if (pass.name != "widening") {
            others.push_back(pass.name);
        }
    }
    PassOptions options{.context = {}, .disabled = others};
    options.context.on_host = on_host;
    return must(run_passes(std::move(graph), options));
}

std::vector<std::uint16_t> halves(std::size_t count, float scale) {
    std::vector<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = float_to_float16(scale * static_cast<float>((i * 37) % 41) - 0.5F);
    }
    return values;
}

// A float16 network: conv2d with bias, its result twice, and relu.
Graph network() {
    GraphBuilder builder;
    const OperandId x = must(builder.input("x", desc_of(DataType::Float16, {1, 6, 5, 3})));
    const OperandId filter =
        must(builder.constant(desc_of(DataType::Float16, {4, 3, 3, 3}),
                              graph::ConstantData::copy<std::uint16_t>(halves(108, 0.02F))));
    ops::Conv2d options;
    options.padding = {1, 1, 1, 1};
    options.input_layout = ops::InputLayout::Nhwc;
    options.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    const OperandId y = must(builder.conv2d(x, filter, options));
    return build(builder, must(builder.relu(must(builder.add(y, y)))));
}

std::vector<float> run(Graph graph, bool optimize) {
    const auto executable = must(runtime::Executable::compile(
        std::move(graph), {.backends = kHost, .threads = 1, .optimize = optimize}));
    const auto in = executable->input(0);
    const auto values = halves(in.size() / sizeof(std::uint16_t), 0.04F);
    std::memcpy(in.data(), values.data(), in.size());
    must(executable->run());
    std::vector<std::uint16_t> stored(executable->output(0).size() / sizeof(std::uint16_t));
    std::memcpy(stored.data(), executable->output(0).data(), executable->output(0).size());
    std::vector<float> out(stored.size());
    std::ranges::transform(stored, out.begin(), float16_to_float);
    return out;
}

std::size_t casts_in(const Graph& graph) {
    return static_cast<std::size_t>(std::ranges::count_if(graph.nodes(), [](const auto& node) {
        return std::holds_alternative<ops::Cast>(node.attributes);
    }));
}

TEST(Widening, computes_in_float32_between_inputs_and_outputs) {
    const Graph wide = widen(network());
    EXPECT_EQ(wide.desc(wide.inputs()[0].id).type(), DataType::Float16);
    EXPECT_EQ(wide.desc(wide.outputs()[0].id).type(), DataType::Float16);
    EXPECT_EQ(casts_in(wide), 3U); // x, the filter, the output
    for (const graph::Node& node : wide.nodes()) {
        if (!std::holds_alternative<ops::Cast>(node.attributes)) {
            EXPECT_EQ(wide.desc(node.outputs[0]).type(), DataType::Float32);
        }
    }
}

TEST(Widening, gives_what_float16_gives_to_its_roundings) {
    const auto expected = run(network(), false);
    const auto actual = run(network(), true);
    ASSERT_EQ(actual.size(), expected.size());
    const float largest = *std::ranges::max_element(expected);
    ASSERT_GT(largest, 0.1F);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 2e-3F * largest) << i;
    }
}

TEST(Widening, runs_float16_networks_on_the_processors_kernels) {
    const auto executable = must(runtime::Executable::compile(
        network(), {.backends = kHost, .threads = 1, .optimize = true}));
    for (const runtime::PlannedStep& step : executable->steps()) {
        EXPECT_EQ(step.backend, "cpu") << step.title;
    }
}

TEST(Widening, leaves_graphs_for_devices_alone) {
    const Graph graph = widen(network(), false);
    EXPECT_EQ(casts_in(graph), 0U);
    EXPECT_EQ(graph.nodes().size(), network().nodes().size());
}

TEST(Widening, keeps_the_rounding_that_the_graph_asks_for) {
    GraphBuilder builder;
    const OperandId x = must(builder.input("x", desc_of(DataType::Float32, {2})));
    const OperandId half = must(builder.cast(x, DataType::Float16));
    const OperandId back = must(builder.cast(half, DataType::Float32));
    const auto executable =
        must(runtime::Executable::compile(build(builder, must(builder.add(back, back))),
                                          {.backends = kHost, .threads = 1, .optimize = true}));
    executable->input_floats(0)[0] = 1.0F + 0x1p-12F; // to 1 in float16
    executable->input_floats(0)[1] = 1e6F;            // to infinity
    must(executable->run());
    EXPECT_EQ(executable->output_floats(0)[0], 2.0F);
    EXPECT_EQ(executable->output_floats(0)[1], std::numeric_limits<float>::infinity());
}

TEST(Widening, takes_what_was_float32_already_as_it_is) {
    GraphBuilder builder;
    const OperandId x = must(builder.input("x", desc_of(DataType::Float16, {4})));
    const OperandId doubled = must(builder.add(x, x));
    const OperandId wide = must(builder.cast(doubled, DataType::Float32));
    const Graph graph = widen(build(builder, must(builder.relu(wide))));
    EXPECT_EQ(casts_in(graph), 1U); // x alone
}

} // namespace
} // namespace sluice::passes
