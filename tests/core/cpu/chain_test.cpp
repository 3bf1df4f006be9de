// SPDX-License-Identifier: Apache-2.0
// Depth-first chains against the reference backend, which knows no chains.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/cpu/chain.h"
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

struct ConvCase {
    std::uint32_t outputs = 4;
    std::uint32_t height = 3, width = 3;
    std::uint32_t pad_top = 1, pad_left = 1;
    bool is_mirrored = false; // as a CReLU: the second half negates the first
    ops::UnaryKind activation = ops::UnaryKind::Relu;
};

class Net {
public:
    Net(std::uint32_t height, std::uint32_t width, std::uint32_t channels)
        : height_(height), width_(width),
          input(must(builder.input("x", desc({1, height, width, channels})))) {}

    OperandId convolve(OperandId x, std::uint32_t inputs, const ConvCase& c) {
        const std::uint32_t distinct = c.is_mirrored ? c.outputs / 2 : c.outputs;
        const std::size_t window = std::size_t{c.height} * c.width * inputs;
        std::vector<float> filter = random_.floats(distinct * window);
        std::vector<float> bias = random_.floats(distinct);
        for (std::size_t i = 0; c.is_mirrored && i < distinct * window; ++i) {
            filter.push_back(-filter[i]);
        }
        for (std::size_t i = 0; c.is_mirrored && i < distinct; ++i) {
            bias.push_back(-bias[i]);
        }
        const OperandId weights =
            must(builder.constant(desc({c.outputs, c.height, c.width, inputs}),
                                  graph::ConstantData::copy(std::span<const float>(filter)), "w"));
        const OperandId biases = must(builder.constant(
            desc({c.outputs}), graph::ConstantData::copy(std::span<const float>(bias)), "b"));
        const OperandId y = must(builder.conv2d(
            x, weights,
            {.padding = {c.pad_top, c.height - 1 - c.pad_top, c.pad_left, c.width - 1 - c.pad_left},
             .input_layout = ops::InputLayout::Nhwc,
             .filter_layout = ops::Conv2dFilterLayout::Ohwi},
            biases, "conv"));
        if (c.activation == ops::UnaryKind::Identity) {
            return y;
        }
        return c.activation == ops::UnaryKind::Sigmoid ? must(builder.sigmoid(y, "act"))
                                                       : must(builder.relu(y, "act"));
    }

    OperandId shuffle(OperandId x, std::uint32_t channels) {
        const OperandId apart =
            must(builder.reshape(x, Shape{1, height_, width_, 2, 2, channels}, "apart"));
        const OperandId woven = must(builder.transpose(apart, {0, 1, 3, 2, 4, 5}, "woven"));
        return must(builder.reshape(woven, Shape{1, 2 * height_, 2 * width_, channels}, "back"));
    }
    OperandId enlarge() {
        return must(builder.resample2d(input,
                                       {.mode = ops::Interpolation::Linear,
                                        .axes = {1, 2},
                                        .sizes = {2 * height_, 2 * width_}},
                                       "enlarge"));
    }

    static TensorDesc desc(std::initializer_list<std::uint32_t> dims) {
        return must(TensorDesc::create(graph::DataType::Float32, Shape(dims)));
    }

private:
    std::uint32_t height_, width_;
    Random random_{7};

public:
    GraphBuilder builder;
    OperandId input;
};

std::vector<std::vector<float>> run(const graph::Graph& graph, const runtime::Backend& backend,
                                    unsigned threads, std::size_t steps) {
    const std::array backends{&backend};
    const auto executable =
        must(runtime::Executable::compile(graph, {.backends = backends, .threads = threads}));
    if (steps != 0) {
        EXPECT_EQ(executable->steps().size(), steps);
    }
    Random random(3);
    const auto input = executable->input_floats(0);
    const std::vector<float> values = random.floats(input.size());
    std::vector<std::vector<float>> outputs;
    // Twice: what the first frame leaves behind must not show in the second.
    for (const float scale : {-5.0F, 1.0F}) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            input[i] = scale * values[i];
        }
        must(executable->run());
    }
    for (std::size_t i = 0; i < executable->outputs().size(); ++i) {
        const auto y = executable->output_floats(i);
        outputs.emplace_back(y.begin(), y.end());
    }
    return outputs;
}

// The CPU backend with a cache so small that every chain's pictures are cut into narrow tiles,
// whatever caches this machine has.
class NarrowBackend final : public runtime::Backend {
public:
    [[nodiscard]] std::string_view name() const override { return cpu_.name(); }
    [[nodiscard]] Status supports(const graph::Graph& graph,
                                  const graph::Node& node) const override {
        return cpu_.supports(graph, node);
    }
    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower(const graph::Graph& graph, const graph::Node& node) const override {
        return cpu_.lower(graph, node);
    }
    [[nodiscard]] std::size_t run_length(const graph::Graph& graph,
                                         std::size_t first) const override {
        return cpu_.run_length(graph, first);
    }
    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower_run(const graph::Graph& graph, const runtime::Segment& segment) const override {
        const auto chain = cpu::find_chain(
            graph, static_cast<std::size_t>(segment.nodes[0] - graph.nodes().data()));
        return chain ? cpu::make_chain(graph, *chain, segment, 1) : cpu_.lower_run(graph, segment);
    }

private:
    const runtime::Backend& cpu_ = cpu::backend();
};

// `steps`: how many the CPU backend must take; one where all of it is a chain.
void expect_same(const graph::Graph& graph, std::size_t steps) {
    const auto expected = run(graph, reference::backend(), 1, 0);
    const NarrowBackend narrow;
    const std::pair<const runtime::Backend&, unsigned> ways[] = {
        {cpu::backend(), 1}, {cpu::backend(), 2}, {cpu::backend(), 3}, {narrow, 1}, {narrow, 2}};
    for (const auto& [backend, threads] : ways) {
        const auto actual = run(graph, backend, threads, steps);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t k = 0; k < actual.size(); ++k) {
            ASSERT_EQ(actual[k].size(), expected[k].size());
            double scale = 1.0;
            for (const float v : expected[k]) {
                scale = std::fmax(scale, std::fabs(v));
            }
            for (std::size_t i = 0; i < actual[k].size(); ++i) {
                ASSERT_NEAR(actual[k][i], expected[k][i], 1e-5 * scale)
                    << "output " << k << ", element " << i << ", " << threads << " threads"
                    << (&backend == &narrow ? ", narrow tiles" : "");
            }
        }
    }
}

TEST(Chain, enlarges_pictures_as_one_step) {
    for (const auto& [height, width] :
         {std::pair{64U, 64U}, {97U, 131U}, {70U, 651U}, {33U, 1283U}}) {
        SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width));
        Net net(height, width, 3);
        OperandId x = net.convolve(net.input, 3, {.outputs = 8, .is_mirrored = true});
        x = net.convolve(x, 8, {.outputs = 8, .is_mirrored = true});
        x = net.convolve(x, 8, {.outputs = 4, .activation = ops::UnaryKind::Identity});
        const OperandId residual = net.shuffle(x, 1);
        const OperandId sum = must(net.builder.add(net.enlarge(), residual, "sum"));
        expect_same(must(net.builder.build({{"residual", residual}, {"y", sum}})), 1);
    }
}

TEST(Chain, reads_features_of_all_stages) {
    Net net(75, 163, 3);
    std::vector<OperandId> features;
    OperandId x = net.input;
    for (std::uint32_t stage = 0; stage < 4; ++stage) {
        x = net.convolve(x, stage == 0 ? 3 : 16, {.outputs = 16, .is_mirrored = stage != 2});
        features.push_back(x);
    }
    x = must(net.builder.concat(features, 3, "features"));
    x = net.convolve(x, 64,
                     {.outputs = 12,
                      .height = 1,
                      .width = 1,
                      .pad_top = 0,
                      .pad_left = 0,
                      .activation = ops::UnaryKind::Identity});
    x = net.shuffle(x, 3);
    const OperandId sum = must(net.builder.add(x, net.enlarge(), "sum"));
    expect_same(must(net.builder.build({{"y", sum}})), 1);
}

TEST(Chain, keeps_odd_windows_and_functions) {
    Net net(66, 101, 2);
    OperandId x = net.convolve(
        net.input, 2, {.outputs = 7, .height = 5, .width = 5, .pad_top = 0, .pad_left = 4});
    x = net.convolve(x, 7,
                     {.outputs = 6,
                      .height = 4,
                      .width = 3,
                      .pad_top = 3,
                      .pad_left = 0,
                      .activation = ops::UnaryKind::Sigmoid});
    x = net.convolve(x, 6, {.outputs = 3, .height = 1, .pad_top = 0, .pad_left = 1});
    expect_same(must(net.builder.build({{"y", x}})), 1);
}

// Four channels and more go by Winograd, whose rows lie in phases for all that reads them.
TEST(Chain, mixes_winograd_with_other_windows) {
    for (const auto& [height, width] : {std::pair{66U, 64U}, {65U, 387U}, {33U, 1283U}}) {
        SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width));
        Net net(height, width, 3);
        OperandId x = net.convolve(net.input, 3, {.outputs = 16, .is_mirrored = true});
        x = net.convolve(x, 16,
                         {.outputs = 9, .height = 5, .width = 5, .pad_top = 1, .pad_left = 4});
        x = net.convolve(x, 9, {.outputs = 11, .activation = ops::UnaryKind::Sigmoid});
        x = net.convolve(x, 11, {.outputs = 6, .height = 1, .pad_top = 0, .pad_left = 0});
        x = net.convolve(x, 6,
                         {.outputs = 12, .height = 2, .width = 1, .pad_top = 1, .pad_left = 0});
        x = net.shuffle(x, 3);
        const OperandId sum = must(net.builder.add(x, net.enlarge(), "sum"));
        expect_same(must(net.builder.build({{"residual", x}, {"y", sum}})), 1);
    }
    Net net(64, 803, 3);
    OperandId x = net.convolve(net.input, 3, {.outputs = 8});
    x = net.convolve(x, 8, {.outputs = 3});
    expect_same(must(net.builder.build({{"y", x}})), 1);
}

TEST(Chain, shuffles_without_a_sum) {
    for (const std::uint32_t channels : {1U, 2U, 4U}) {
        Net net(65, 90, 3);
        OperandId x = net.convolve(net.input, 3, {.outputs = 5});
        x = net.convolve(x, 5, {.outputs = 4 * channels});
        expect_same(must(net.builder.build({{"y", net.shuffle(x, channels)}})), 1);
    }
}

TEST(Chain, ends_before_a_picture_that_others_read) {
    Net net(64, 80, 3);
    const OperandId a = net.convolve(net.input, 3, {.outputs = 8});
    const OperandId b = net.convolve(a, 8, {.outputs = 4});
    const OperandId c = net.convolve(b, 4, {.outputs = 4});
    // b is an output: the chain is a and b, and c stands alone.
    expect_same(must(net.builder.build({{"b", b}, {"c", c}})), 2);
}

// The rows in the cache are as many for a picture of any height.
TEST(Chain, needs_no_more_memory_for_higher_pictures) {
    const auto inner_bytes = [](std::uint32_t height, unsigned threads) {
        Net net(height, 512, 3);
        OperandId x = net.convolve(net.input, 3, {.outputs = 16});
        x = net.convolve(x, 16, {.outputs = 16});
        x = net.convolve(x, 16, {.outputs = 4});
        const std::array backends{&cpu::backend()};
        const auto executable = must(runtime::Executable::compile(
            must(net.builder.build({{"y", x}})), {.backends = backends, .threads = threads}));
        const std::size_t ends = std::size_t{height} * 512 * (3 + 4) * sizeof(float);
        return executable->arena_bytes() + executable->scratch_bytes() - ends;
    };
    for (const unsigned threads : {1U, 2U, 3U}) {
        EXPECT_EQ(inner_bytes(256, threads), inner_bytes(2048, threads));
        EXPECT_LT(inner_bytes(256, threads), std::size_t{256} * 512 * 16 * sizeof(float));
    }
}

TEST(Chain, leaves_single_convolutions_alone) {
    Net net(64, 80, 3);
    const graph::Graph graph =
        must(net.builder.build({{"y", net.convolve(net.input, 3, {.outputs = 4})}}));
    EXPECT_FALSE(cpu::find_chain(graph, 0).has_value());
}

} // namespace
} // namespace sluice::test
