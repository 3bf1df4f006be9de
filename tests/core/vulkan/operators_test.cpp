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
// moved only or converted.
bool is_left_out(const OpCase& test) {
    if (!kHasKernel[test.attributes.index()]) {
        return true;
    }
    const bool moves = std::holds_alternative<ops::Cast>(test.attributes) ||
                       std::holds_alternative<ops::Concat>(test.attributes) ||
                       std::holds_alternative<ops::DequantizeLinear>(test.attributes) ||
                       std::holds_alternative<ops::Expand>(test.attributes) ||
                       std::holds_alternative<ops::Pad>(test.attributes) ||
                       std::holds_alternative<ops::Reshape>(test.attributes) ||
                       std::holds_alternative<ops::Slice>(test.attributes) ||
                       std::holds_alternative<ops::Split>(test.attributes) ||
                       std::holds_alternative<ops::Transpose>(test.attributes) ||
                       std::holds_alternative<ops::Where>(test.attributes);
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
            const bool wide = test.operands[0].type == graph::DataType::Int64 ||
                              test.operands[0].type == graph::DataType::Uint64 ||
                              graph.desc(graph.outputs()[0].id).type() == graph::DataType::Int64 ||
                              graph.desc(graph.outputs()[0].id).type() == graph::DataType::Uint64;
            const bool wide_cast = wide && std::holds_alternative<ops::Cast>(test.attributes);
            EXPECT_TRUE(is_left_out(test) || wide_cast)
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
INSTANTIATE_TEST_SUITE_P(Table, VulkanTiles, ::testing::ValuesIn(cases_that(is_large_convolution)),
                         test_name);

INSTANTIATE_TEST_SUITE_P(Table, VulkanOperators, ::testing::Range<std::size_t>(0, cases().size()),
                         test_name);

} // namespace
} // namespace sluice::testing
