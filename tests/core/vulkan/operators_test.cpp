// SPDX-License-Identifier: Apache-2.0
// Every case of every table on the Vulkan backend, with the kernels that the device chooses and
// with the others.
#include <array>
#include <cstddef>
#include <vector>

#include "core/vulkan/backend.h"
#include "tests/core/ops_cases/judge.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/support/vulkan_program.h"

namespace sluice::testing {
namespace {

// Which rows of the list of operators have a Vulkan kernel.
constexpr std::array kHasKernel{
#define SLUICE_OP(file, Type, cpu, vulkan) (vulkan) == 1,
#include "core/ops/ops.def"
#undef SLUICE_OP
};

// What the backend leaves to others: operators without a kernel, and integers, but where they are
// moved only, converted, or the operands of element-wise functions.
bool is_left_out(const OpCase& test) {
    if (!kHasKernel[test.attributes.index()]) {
        return true;
    }
    const bool moves = std::holds_alternative<ops::Cast>(test.attributes) ||
                       std::holds_alternative<ops::Concat>(test.attributes) ||
                       std::holds_alternative<ops::DequantizeLinear>(test.attributes) ||
                       std::holds_alternative<ops::Expand>(test.attributes) ||
                       std::holds_alternative<ops::Gather>(test.attributes) ||
                       std::holds_alternative<ops::GatherElements>(test.attributes) ||
                       std::holds_alternative<ops::GatherNd>(test.attributes) ||
                       std::holds_alternative<ops::Pad>(test.attributes) ||
                       std::holds_alternative<ops::Reverse>(test.attributes) ||
                       std::holds_alternative<ops::ScatterElements>(test.attributes) ||
                       std::holds_alternative<ops::ScatterNd>(test.attributes) ||
                       std::holds_alternative<ops::Reshape>(test.attributes) ||
                       std::holds_alternative<ops::Slice>(test.attributes) ||
                       std::holds_alternative<ops::Split>(test.attributes) ||
                       std::holds_alternative<ops::Tile>(test.attributes) ||
                       std::holds_alternative<ops::Transpose>(test.attributes) ||
                       std::holds_alternative<ops::Triangular>(test.attributes) ||
                       std::holds_alternative<ops::Where>(test.attributes);
    const auto* binary = std::get_if<ops::Binary>(&test.attributes);
    if (binary != nullptr && !graph::is_float(test.operands[0].type)) {
        return binary->activation.kind != ops::UnaryKind::Identity;
    }
    if (std::holds_alternative<ops::Unary>(test.attributes)) {
        return false;
    }
    return !moves && !graph::is_float(test.operands[0].type);
}

class VulkanOperators : public VulkanTest, public ::testing::WithParamInterface<std::size_t> {
protected:
    // The device and its pipelines are shared by all cases.
    static void SetUpTestSuite() {
        if (auto opened = vulkan::Device::open(vulkan_selector())) {
            shared_device_ = std::move(*opened);
        }
    }
    static void TearDownTestSuite() { shared_device_.reset(); }

    // Runs the case twice: a second run finds what the first one left in the arena.
    static void run_case(const OpCase& test, const runtime::Backend& backend) {
        const graph::Graph graph = must(build_case(test));
        if (const Status supported = supports_all(backend, graph); !supported) {
            ASSERT_EQ(supported.error().code, ErrorCode::Unsupported);
            const bool wide = graph::size_of(test.operands[0].type) > 4 ||
                              graph::size_of(graph.desc(graph.outputs()[0].id).type()) > 4;
            EXPECT_TRUE(is_left_out(test) || (wide && !shared_device_->profile().int64))
                << test.name << ": " << supported.error().message;
            GTEST_SKIP() << "left to the host: " << supported.error().message;
        }
        ProgramRun run(backend, graph);
        ASSERT_TRUE(run.made());
        std::size_t input = 0;
        for (const CaseOperand& operand : test.operands) {
            if (!operand.is_constant) {
                run.input(input++) = bytes_of(operand);
            }
        }
        const std::vector<Expected> expected = test.expected(test);
        ASSERT_EQ(graph.outputs().size(), expected.size());
        for (int time = 0; time < 2; ++time) {
            run.run();
            for (std::size_t i = 0; i < expected.size(); ++i) {
                expect_close(test, expected[i], graph.desc(graph.outputs()[i].id), run.output(i));
            }
        }
    }

private:
    static inline std::shared_ptr<vulkan::Device> shared_device_;
};

TEST_P(VulkanOperators, agree) {
    const auto backend = must(vulkan::make_backend(device_));
    run_case(cases()[GetParam()], *backend);
}

// What a software device would not choose: tiles in shared memory, and lines of several vectors.
bool has_another_kernel(const OpCase& test) {
    const auto* conv = std::get_if<ops::Conv2d>(&test.attributes);
    return (conv != nullptr && conv->groups == 1) ||
           std::holds_alternative<ops::Gemm>(test.attributes) ||
           std::holds_alternative<ops::InstanceNormalization>(test.attributes) ||
           std::holds_alternative<ops::LayerNormalization>(test.attributes) ||
           std::holds_alternative<ops::Matmul>(test.attributes) ||
           std::holds_alternative<ops::Reduce>(test.attributes) ||
           std::holds_alternative<ops::Softmax>(test.attributes);
}

class VulkanOtherKernels : public VulkanOperators {};

TEST_P(VulkanOtherKernels, agree) {
    // Small ones: a software device compiles every sum of every invocation as code of its own.
    vulkan::Tuning tuning;
    tuning.wide = {.rows = 8, .blocks = 4, .depth = 4, .own_rows = 2, .own_blocks = 2};
    tuning.narrow = {.rows = 8, .blocks = 2, .depth = 8, .own_rows = 2, .own_blocks = 1};
    tuning.line_invocations = 32;
    tuning.staged = true;
    run_case(cases()[GetParam()], *must(vulkan::make_backend(device_, tuning)));
}

// The kernel without tiles of devices that load for a workgroup what it shares, which software
// devices do not.
class VulkanDirect : public VulkanOperators {};

TEST_P(VulkanDirect, agree) {
    vulkan::Tuning tuning = vulkan::tuning_for(device_->profile());
    tuning.tiled = false;
    tuning.shared_loads = false;
    run_case(cases()[GetParam()], *must(vulkan::make_backend(device_, tuning)));
}

bool is_direct(const OpCase& test) {
    const auto* conv = std::get_if<ops::Conv2d>(&test.attributes);
    return conv != nullptr && test.operands[0].shape.element_count() <= 3000;
}

// Multiplication in float16, which a user may ask for: both kernels of convolution, and gemm.
class VulkanHalfArithmetic : public VulkanOperators {};

TEST_P(VulkanHalfArithmetic, agree) {
    if (!device_->profile().float16) {
        GTEST_SKIP() << device_->profile().name << " does not compute in float16";
    }
    vulkan::Tuning tuning =
        vulkan::tuning_for(device_->profile(), vulkan::TuningOptions{.half_arithmetic = true});
    ASSERT_TRUE(tuning.half_arithmetic);
    run_case(cases()[GetParam()], *must(vulkan::make_backend(device_, tuning)));
    tuning.tiled = true;
    tuning.wide = {.rows = 8, .blocks = 4, .depth = 4, .own_rows = 2, .own_blocks = 2};
    tuning.narrow = {.rows = 8, .blocks = 2, .depth = 8, .own_rows = 2, .own_blocks = 1};
    run_case(cases()[GetParam()], *must(vulkan::make_backend(device_, tuning)));
}

// Winograd's form from the fewest channels on that it can take.
class VulkanWinograd : public VulkanOperators {};

TEST_P(VulkanWinograd, agree) {
    vulkan::Tuning tuning;
    tuning.wide = {.rows = 8, .blocks = 4, .depth = 4, .own_rows = 2, .own_blocks = 2};
    tuning.narrow = {.rows = 8, .blocks = 2, .depth = 8, .own_rows = 2, .own_blocks = 1};
    tuning.winograd_channels = 1;
    run_case(cases()[GetParam()], *must(vulkan::make_backend(device_, tuning)));
}

bool is_winograds(const OpCase& test) {
    const auto* conv = std::get_if<ops::Conv2d>(&test.attributes);
    if (conv == nullptr || conv->groups != 1 || conv->strides != std::array{1U, 1U} ||
        conv->dilations != std::array{1U, 1U} || !test.operands[1].is_constant) {
        return false;
    }
    const ops::FilterAxes axes = ops::filter_axes(conv->filter_layout);
    const graph::Shape& filter = test.operands[1].shape;
    return filter[axes.height] == 3 && filter[axes.width] == 3 &&
           filter[axes.input_channel] % 4 == 0;
}

bool is_half_product(const OpCase& test) {
    return test.operands[0].type == graph::DataType::Float16 &&
           (std::holds_alternative<ops::Conv2d>(test.attributes) ||
            std::holds_alternative<ops::Gemm>(test.attributes) ||
            std::holds_alternative<ops::Matmul>(test.attributes));
}

// The tiles of real devices, on the largest convolutions of the table.
class VulkanTiles : public VulkanOperators {};

TEST_P(VulkanTiles, agree) {
    vulkan::DeviceProfile profile = device_->profile();
    profile.type = vulkan::DeviceType::Discrete;
    profile.vendor_id = 0x10DE;
    run_case(cases()[GetParam()],
             *must(vulkan::make_backend(device_, vulkan::tuning_for(profile))));
}

bool is_large_convolution(const OpCase& test) {
    const auto* conv = std::get_if<ops::Conv2d>(&test.attributes);
    return conv != nullptr && conv->groups == 1 && test.operands[0].shape.element_count() > 30'000;
}

// The places of the cases that a rule takes.
std::vector<std::size_t> cases_that(bool (*rule)(const OpCase&)) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < cases().size(); ++i) {
        if (rule(cases()[i])) {
            out.push_back(i);
        }
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(Table, VulkanOtherKernels,
                         ::testing::ValuesIn(cases_that(has_another_kernel)), test_name);
INSTANTIATE_TEST_SUITE_P(Table, VulkanDirect, ::testing::ValuesIn(cases_that(is_direct)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Table, VulkanWinograd, ::testing::ValuesIn(cases_that(is_winograds)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Table, VulkanHalfArithmetic,
                         ::testing::ValuesIn(cases_that(is_half_product)), test_name);
INSTANTIATE_TEST_SUITE_P(Table, VulkanTiles, ::testing::ValuesIn(cases_that(is_large_convolution)),
                         test_name);

INSTANTIATE_TEST_SUITE_P(Table, VulkanOperators, ::testing::Range<std::size_t>(0, cases().size()),
                         test_name);

} // namespace
} // namespace sluice::testing
