// SPDX-License-Identifier: Apache-2.0
// Executables from graph to result, on every device.
#include <algorithm>
#include <array>
#include <numeric>

#include <gtest/gtest.h>

#include "core/engine.h"
#include "core/graph/builder.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/must.h"

namespace sluice::runtime {
namespace {

using graph::DataType;
using graph::GraphBuilder;
using graph::OperandId;
using graph::TensorDesc;
using testing::must;

OperandId constant(GraphBuilder& builder, const graph::Shape& shape, std::vector<float> values) {
    return must(builder.constant(must(TensorDesc::create(DataType::Float32, shape)),
                                 graph::ConstantData::copy<float>(values)));
}

// relu(conv3x3(x) + x) with all weights 1, then its reshape.
graph::Graph small_graph() {
    GraphBuilder builder;
    const auto x = must(
        builder.input("x", must(TensorDesc::create(DataType::Float32, graph::Shape{1, 4, 4, 1}))));
    const auto filter = constant(builder, {1, 3, 3, 1}, std::vector<float>(9, 1.0F));
    ops::Conv2d options;
    options.padding = {1, 1, 1, 1};
    options.input_layout = ops::InputLayout::Nhwc;
    options.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    const auto conv = must(builder.conv2d(x, filter, options, {}, "blur"));
    const auto sum = must(builder.add(conv, x));
    const auto relu = must(builder.relu(sum));
    const auto flat = must(builder.reshape(relu, {16}));
    return must(builder.build({graph::NamedOperand{.name = "flat", .id = flat}}));
}

std::vector<float> small_expected(std::span<const float> x) {
    std::vector<float> out(16);
    for (int y = 0; y < 4; ++y) {
        for (int col = 0; col < 4; ++col) {
            float sum = x[static_cast<std::size_t>(y * 4 + col)];
            for (int v = std::max(0, y - 1); v <= std::min(3, y + 1); ++v) {
                for (int u = std::max(0, col - 1); u <= std::min(3, col + 1); ++u) {
                    sum += x[static_cast<std::size_t>(v * 4 + u)];
                }
            }
            out[static_cast<std::size_t>(y * 4 + col)] = std::max(0.0F, sum);
        }
    }
    return out;
}

class ExecutableOnDevice : public ::testing::TestWithParam<DeviceKind> {};

TEST_P(ExecutableOnDevice, computes_again_and_again) {
    const auto executable = must(compile(small_graph(), {.device = GetParam(), .threads = 2}));
    ASSERT_EQ(executable->inputs().size(), 1U);
    EXPECT_EQ(executable->inputs()[0].name, "x");
    for (const float scale : {1.0F, -3.0F, 0.5F}) {
        const auto x = executable->input_floats(must(executable->input_index("x")));
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = scale * (static_cast<float>(i) - 7.0F);
        }
        must(executable->run());
        const auto out = executable->output_floats(must(executable->output_index("flat")));
        const auto expected = small_expected(x);
        ASSERT_EQ(out.size(), expected.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
            EXPECT_FLOAT_EQ(out[i], expected[i]) << "element " << i << ", scale " << scale;
        }
    }
}

TEST_P(ExecutableOnDevice, second_run_allocates_nothing) {
    if (!testing::can_count_allocations()) {
        GTEST_SKIP() << "sanitizers bring their own allocator";
    }
    const auto executable = must(compile(small_graph(), {.device = GetParam(), .threads = 2}));
    must(executable->run());
    const std::uint64_t before = testing::allocation_count();
    must(executable->run());
    must(executable->run());
    EXPECT_EQ(testing::allocation_count(), before);
}

INSTANTIATE_TEST_SUITE_P(Devices, ExecutableOnDevice,
                         ::testing::Values(DeviceKind::Cpu, DeviceKind::Reference),
                         [](const auto& test) { return name(test.param); });

TEST(Executable, fuses_the_small_graph_into_one_step) {
    const auto executable = must(compile(small_graph(), {.device = DeviceKind::Cpu}));
    // conv + add + relu are one node; the reshape of a graph's output remains.
    EXPECT_LE(executable->steps().size(), 2U);
    EXPECT_EQ(executable->steps()[0].title, "conv2d 'blur'");
}

TEST(Executable, names_what_exists_when_a_tensor_does_not) {
    const auto executable = must(compile(small_graph(), {}));
    const auto missing = executable->output_index("boxes");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_EQ(missing.error().message, "there is no output 'boxes'; there are: flat");
}

// A backend that can do nothing, to see what the runtime says.
class Helpless final : public Backend {
public:
    [[nodiscard]] std::string_view name() const override { return "helpless"; }
    [[nodiscard]] Status supports(const graph::Graph& /*graph*/,
                                  const graph::Node& /*node*/) const override {
        return fail(ErrorCode::Unsupported, "it knows no operator");
    }
    [[nodiscard]] Result<std::unique_ptr<Kernel>>
    lower(const graph::Graph& /*graph*/, const graph::Node& /*node*/) const override {
        return fail(ErrorCode::Internal, "must not be asked");
    }
};

TEST(Executable, lists_every_node_that_no_backend_runs) {
    const Helpless helpless;
    const std::array<const Backend*, 1> backends{&helpless};
    const auto result =
        Executable::compile(small_graph(), {.backends = backends, .optimize = false});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Unsupported);
    for (const char* part : {"conv2d 'blur'", "add", "relu", "reshape", "it knows no operator"}) {
        EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    }
}

TEST(Executable, falls_back_to_the_next_backend_and_says_why) {
    const Helpless helpless;
    const std::array<const Backend*, 2> backends{&helpless, &reference::backend()};
    const auto executable =
        must(Executable::compile(small_graph(), {.backends = backends, .optimize = false}));
    for (const PlannedStep& step : executable->steps()) {
        EXPECT_EQ(step.backend, "reference");
        EXPECT_EQ(step.reason, "helpless: it knows no operator");
    }
}

} // namespace
} // namespace sluice::runtime
