// SPDX-License-Identifier: Apache-2.0
// Bottlenecks against the reference backend, which runs their nodes one by one.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/graph/builder.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "tests/core/cpu/conv_support.h"

namespace sluice::test {
namespace {

using graph::GraphBuilder;
using graph::OperandId;
using graph::Shape;
using graph::TensorDesc;

struct BottleneckCase {
    std::uint32_t height = 60, width = 65;                 // so that the expanded picture is large
    std::uint32_t inputs = 8, expanded = 48, outputs = 16; // expanded == inputs: no expansion
    std::uint32_t kernel = 3, stride = 1;
    std::array<std::uint32_t, 4> padding{1, 1, 1, 1};
    std::uint32_t dilation = 1;
    bool adds_input = false; // to the result; inputs == outputs, stride 1
};

std::string name_of(const BottleneckCase& c) {
    return std::to_string(c.height) + "x" + std::to_string(c.width) + ", " +
           std::to_string(c.inputs) + " to " + std::to_string(c.expanded) + " to " +
           std::to_string(c.outputs) + ", " + std::to_string(c.kernel) + "x" +
           std::to_string(c.kernel) + " by " + std::to_string(c.stride);
}

class BottleneckNet {
public:
    explicit BottleneckNet(const BottleneckCase& c)
        : case_(c), input(must(builder.input("x", desc({1, c.height, c.width, c.inputs})))) {}

    OperandId point(OperandId x, std::uint32_t from, std::uint32_t to) {
        return convolve(x, {to, 1, 1, from}, to, {.filter_layout = ops::Conv2dFilterLayout::Ohwi});
    }
    OperandId depthwise(OperandId x) {
        const BottleneckCase& c = case_;
        return convolve(x, {1, c.kernel, c.kernel, c.expanded}, c.expanded,
                        {.padding = c.padding,
                         .strides = {c.stride, c.stride},
                         .dilations = {c.dilation, c.dilation},
                         .groups = c.expanded,
                         .filter_layout = ops::Conv2dFilterLayout::Ihwo});
    }
    OperandId relu(OperandId x) { return must(builder.relu(x, "act")); }
    OperandId hard_swish(OperandId x) { return must(builder.hard_swish(x, "act")); }
    OperandId add(OperandId a, OperandId b) { return must(builder.add(a, b, "sum")); }

    // Expansion where there is one, depthwise, projection.
    OperandId bottleneck() {
        OperandId x = input;
        if (case_.expanded != case_.inputs) {
            x = relu(point(x, case_.inputs, case_.expanded));
        }
        x = point(hard_swish(depthwise(x)), case_.expanded, case_.outputs);
        return case_.adds_input ? relu(add(x, input)) : x;
    }

    static TensorDesc desc(Shape shape) {
        return must(TensorDesc::create(graph::DataType::Float32, shape));
    }

private:
    OperandId constant(const Shape& shape, std::size_t count, const char* name) {
        const std::vector<float> values = random_.floats(count);
        return must(builder.constant(
            desc(shape), graph::ConstantData::copy(std::span<const float>(values)), name));
    }
    OperandId convolve(OperandId x, const Shape& filter, std::uint32_t outputs, ops::Conv2d op) {
        op.input_layout = ops::InputLayout::Nhwc;
        std::size_t count = 1;
        for (const std::uint32_t dim : filter) {
            count *= dim;
        }
        return must(builder.conv2d(x, constant(filter, count, "w"), op,
                                   constant(Shape{outputs}, outputs, "b"), "conv"));
    }

    BottleneckCase case_;
    Random random_{11};

public:
    GraphBuilder builder;
    OperandId input;
};

std::vector<std::vector<float>> run_frames(const graph::Graph& graph,
                                           const runtime::Backend& backend, unsigned threads,
                                           std::size_t steps) {
    const std::array backends{&backend};
    const auto executable =
        must(runtime::Executable::compile(graph, {.backends = backends, .threads = threads}));
    if (steps != 0) {
        EXPECT_EQ(executable->steps().size(), steps);
    }
    Random random(3);
    const auto input = executable->input_floats(0);
    const std::vector<float> values = random.floats(input.size());
    // Twice: what the first frame leaves in the ring must not show in the second.
    for (const float scale : {-5.0F, 1.0F}) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            input[i] = scale * values[i];
        }
        must(executable->run());
    }
    std::vector<std::vector<float>> outputs;
    for (std::size_t i = 0; i < executable->outputs().size(); ++i) {
        const auto y = executable->output_floats(i);
        outputs.emplace_back(y.begin(), y.end());
    }
    return outputs;
}

// `steps`: how many the CPU backend must take; one where all of it is a bottleneck.
void expect_like_reference(const graph::Graph& graph, std::size_t steps) {
    const auto expected = run_frames(graph, reference::backend(), 1, 0);
    for (const unsigned threads : {1U, 2U, 3U}) {
        const auto actual = run_frames(graph, cpu::backend(), threads, steps);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t k = 0; k < actual.size(); ++k) {
            ASSERT_EQ(actual[k].size(), expected[k].size());
            double scale = 1.0;
            for (const float v : expected[k]) {
                scale = std::fmax(scale, std::fabs(v));
            }
            for (std::size_t i = 0; i < actual[k].size(); ++i) {
                ASSERT_NEAR(actual[k][i], expected[k][i], 1e-5 * scale)
                    << "output " << k << ", element " << i << ", " << threads << " threads";
            }
        }
    }
}

void expect_one_step(const BottleneckCase& c) {
    SCOPED_TRACE(name_of(c));
    BottleneckNet net(c);
    const OperandId y = net.bottleneck();
    expect_like_reference(must(net.builder.build({{"y", y}})), 1);
}

TEST(Bottleneck, is_one_step_for_every_window) {
    expect_one_step({});
    expect_one_step({.stride = 2});
    expect_one_step({.stride = 2, .padding = {0, 1, 0, 1}});
    expect_one_step({.kernel = 5, .padding = {2, 2, 2, 2}});
    expect_one_step({.kernel = 5, .stride = 2, .padding = {1, 2, 1, 2}});
    expect_one_step({.kernel = 4, .stride = 3, .padding = {3, 0, 2, 1}});
    expect_one_step({.kernel = 1, .padding = {0, 0, 0, 0}});
    expect_one_step({.height = 3000, .width = 2, .padding = {2, 2, 2, 2}});
}

TEST(Bottleneck, is_one_step_for_odd_channels) {
    expect_one_step({.inputs = 3, .expanded = 37, .outputs = 7});
    expect_one_step({.inputs = 17, .expanded = 100, .outputs = 33});
}

TEST(Bottleneck, adds_the_input) {
    expect_one_step({.inputs = 24, .expanded = 96, .outputs = 24, .adds_input = true});
    expect_one_step({.inputs = 24, .expanded = 24, .outputs = 24, .adds_input = true});
}

// More expanded channels than the second-level cache holds rows of: several passes.
TEST(Bottleneck, adds_up_passes) {
    expect_one_step({.height = 9, .width = 400, .inputs = 8, .expanded = 1000, .outputs = 8});
    expect_one_step({.height = 9,
                     .width = 400,
                     .inputs = 8,
                     .expanded = 1000,
                     .outputs = 8,
                     .adds_input = true});
}

// Enough work for several strips, whose rows at the borders are made twice.
TEST(Bottleneck, runs_in_strips) {
    expect_one_step({.height = 61, .width = 64, .inputs = 32, .expanded = 96, .outputs = 32});
    expect_one_step(
        {.height = 140, .width = 64, .inputs = 32, .expanded = 96, .outputs = 32, .stride = 2});
    expect_one_step({.height = 61, .width = 64, .inputs = 96, .expanded = 96, .outputs = 32});
}

TEST(Bottleneck, needs_no_expansion) {
    expect_one_step({.inputs = 24, .expanded = 24});
    expect_one_step({.inputs = 24, .expanded = 24, .stride = 2, .padding = {0, 1, 0, 1}});
    expect_one_step({.inputs = 24, .expanded = 24, .padding = {2, 2, 2, 2}, .dilation = 2});
}

TEST(Bottleneck, projects_several_short_rows_at_once) {
    expect_one_step({.height = 11, .width = 9, .inputs = 24, .expanded = 24});
    expect_one_step({.height = 700, .width = 5, .inputs = 8, .expanded = 48});
    expect_one_step({.height = 1400, .width = 5, .inputs = 8, .expanded = 48, .stride = 2});
}

TEST(Bottleneck, leaves_small_expanded_pictures) {
    BottleneckNet net({.height = 8, .width = 8});
    const OperandId y = net.bottleneck();
    expect_like_reference(must(net.builder.build({{"y", y}})), 2);
}

TEST(Bottleneck, leaves_results_that_others_read) {
    const BottleneckCase c{.inputs = 16, .expanded = 48};
    {
        BottleneckNet net(c);
        const OperandId expanded = net.relu(net.point(net.input, c.inputs, c.expanded));
        const OperandId y = net.point(net.relu(net.depthwise(expanded)), c.expanded, c.outputs);
        // The expansion on its own; what follows is a bottleneck without one.
        expect_like_reference(must(net.builder.build({{"e", expanded}, {"y", y}})), 2);
    }
    {
        BottleneckNet net(c);
        const OperandId expanded = net.relu(net.point(net.input, c.inputs, c.expanded));
        const OperandId filtered = net.relu(net.depthwise(expanded));
        const OperandId y = net.point(filtered, c.expanded, c.outputs);
        const OperandId z = net.point(filtered, c.expanded, c.outputs);
        expect_like_reference(must(net.builder.build({{"y", y}, {"z", z}})), 4);
    }
}

} // namespace
} // namespace sluice::test
