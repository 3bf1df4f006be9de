// SPDX-License-Identifier: Apache-2.0
// Concat and 1x1 convolution as one step, against the reference backend, which takes two.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

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

struct JoinCase {
    std::vector<std::uint32_t> channels{64, 4}; // of what is joined
    std::uint32_t outputs = 20;
    bool has_sum = false;  // with the first of what is joined: it becomes a residual
    bool is_named = false; // what is joined is an output of the graph, too
};

graph::Graph joined_graph(const JoinCase& c) {
    constexpr std::uint32_t kHeight = 61;
    constexpr std::uint32_t kWidth = 131;
    const auto desc = [](const Shape& shape) {
        return must(TensorDesc::create(graph::DataType::Float32, shape));
    };
    Random random(7);
    const auto constant = [&](GraphBuilder& builder, const Shape& shape) {
        const std::vector<float> values = random.floats(shape.element_count());
        return must(builder.constant(
            desc(shape), graph::ConstantData::copy(std::span<const float>(values)), "w"));
    };
    GraphBuilder builder;
    std::vector<OperandId> pieces;
    std::uint32_t joined = 0;
    for (const std::uint32_t channels : c.channels) {
        pieces.push_back(must(builder.input("x" + std::to_string(pieces.size()),
                                            desc({1, kHeight, kWidth, channels}))));
        joined += channels;
    }
    const OperandId all = must(builder.concat(pieces, 3, "join"));
    const OperandId filter = constant(builder, {c.outputs, 1, 1, joined});
    const OperandId bias = constant(builder, {c.outputs});
    OperandId y = must(builder.conv2d(
        all, filter,
        {.input_layout = ops::InputLayout::Nhwc, .filter_layout = ops::Conv2dFilterLayout::Ohwi},
        bias, "conv"));
    y = c.has_sum ? must(builder.add(y, pieces[0], "sum")) : must(builder.relu(y, "relu"));
    return c.is_named ? must(builder.build({{"y", y}, {"joined", all}}))
                      : must(builder.build({{"y", y}}));
}

std::vector<float> run_joined(const graph::Graph& graph, const runtime::Backend& backend,
                              unsigned threads, std::size_t steps) {
    const std::array backends{&backend};
    const auto executable =
        must(runtime::Executable::compile(graph, {.backends = backends, .threads = threads}));
    if (steps != 0) {
        EXPECT_EQ(executable->steps().size(), steps);
    }
    Random random(3);
    for (std::size_t i = 0; i < executable->inputs().size(); ++i) {
        const auto input = executable->input_floats(i);
        std::ranges::copy(random.floats(input.size()), input.begin());
    }
    must(executable->run());
    const auto y = executable->output_floats(0);
    return {y.begin(), y.end()};
}

void expect_joined(const JoinCase& c, std::size_t steps) {
    const graph::Graph graph = joined_graph(c);
    const std::vector<float> expected = run_joined(graph, reference::backend(), 1, 0);
    for (const unsigned threads : {1U, 3U}) {
        const std::vector<float> actual = run_joined(graph, cpu::backend(), threads, steps);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < actual.size(); ++i) {
            ASSERT_NEAR(actual[i], expected[i], 2e-4)
                << "at " << i << ", " << threads << " threads";
        }
    }
}

TEST(JoinedConv, is_one_step_on_a_large_picture) {
    expect_joined({}, 1);
    expect_joined({.channels = {33, 64, 7}, .outputs = 67}, 1);
    expect_joined({.channels = {700, 64}, .outputs = 32}, 1);
}

TEST(JoinedConv, adds_what_it_also_joins) {
    expect_joined({.channels = {64, 16}, .outputs = 64, .has_sum = true}, 1);
}

TEST(JoinedConv, leaves_alone_what_others_read) {
    expect_joined({.is_named = true}, 2);
}

} // namespace
} // namespace sluice::test
