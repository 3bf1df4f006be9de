// SPDX-License-Identifier: Apache-2.0
// Programs: memory at their borders, and what the backend refuses.
#include <array>
#include <cstring>
#include <vector>

#include "core/graph/builder.h"
#include "core/vulkan/backend.h"
#include "core/vulkan/lowerings.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/support/vulkan_program.h"

namespace sluice::testing {
namespace {

graph::OperandId add_operand(graph::GraphParts& parts, graph::OperandKind kind, const char* name,
                             const graph::Shape& shape,
                             graph::DataType type = graph::DataType::Float32) {
    return parts.add({.desc = must(graph::TensorDesc::create(type, shape)),
                      .kind = kind,
                      .name = name,
                      .data = {}});
}

graph::Node unary(ops::UnaryKind kind, graph::OperandId x, graph::OperandId y) {
    return {.attributes = ops::Unary{.function = {.kind = kind}},
            .inputs = {x},
            .outputs = {y},
            .label = "f"};
}

// neg, reshaped, then abs and relu of that: two outputs, a tensor in between that is an output too.
graph::Graph branches() {
    graph::GraphParts parts;
    const auto x = add_operand(parts, graph::OperandKind::Input, "x", {2, 3});
    const auto negated = add_operand(parts, graph::OperandKind::Result, "", {2, 3});
    const auto line = add_operand(parts, graph::OperandKind::Result, "line", {6});
    const auto y = add_operand(parts, graph::OperandKind::Result, "y", {6});
    parts.nodes.push_back(unary(ops::UnaryKind::Neg, x, negated));
    parts.nodes.push_back({.attributes = ops::Reshape{.shape = {6}},
                           .inputs = {negated},
                           .outputs = {line},
                           .label = "r"});
    parts.nodes.push_back(unary(ops::UnaryKind::Relu, line, y));
    parts.inputs.push_back({.name = "x", .id = x});
    parts.outputs.push_back({.name = "line", .id = line});
    parts.outputs.push_back({.name = "y", .id = y});
    return must(graph::Graph::create(std::move(parts)));
}

std::vector<float> floats(std::span<const std::byte> bytes) {
    std::vector<float> out(bytes.size() / sizeof(float));
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

class VulkanProgram : public VulkanTest {
protected:
    void expect_right(const runtime::Backend& backend, std::uint64_t border_bytes) {
        const graph::Graph graph = branches();
        ProgramRun run(backend, graph);
        ASSERT_TRUE(run.made());
        constexpr std::array kValues{1.0F, -2.0F, 3.0F, -4.0F, 5.0F, -6.0F};
        std::memcpy(run.input(0).data(), kValues.data(), sizeof(kValues));
        for (int time = 0; time < 3; ++time) {
            run.run();
            EXPECT_EQ(floats(run.output(0)), (std::vector{-1.0F, 2.0F, -3.0F, 4.0F, -5.0F, 6.0F}));
            EXPECT_EQ(floats(run.output(1)), (std::vector{0.0F, 2.0F, 0.0F, 4.0F, 0.0F, 6.0F}));
        }
        EXPECT_EQ(run.program().border_bytes(), border_bytes);
    }
};

TEST_F(VulkanProgram, works_in_memory_that_the_host_sees) {
    if (!device_->profile().unified_memory) {
        GTEST_SKIP() << "the host does not see this device's memory";
    }
    expect_right(*must(vulkan::make_backend(device_)), 0);
}

TEST_F(VulkanProgram, counts_what_it_stages) {
    vulkan::Tuning tuning = vulkan::tuning_for(device_->profile());
    tuning.staged = true;
    expect_right(*must(vulkan::make_backend(device_, tuning)), 3 * 6 * sizeof(float));
}

TEST_F(VulkanProgram, outlives_its_backend) {
    const graph::Graph graph = branches();
    auto backend = must(vulkan::make_backend(device_));
    ProgramRun run(*backend, graph);
    backend.reset();
    ASSERT_TRUE(run.made());
    run.run();
    EXPECT_EQ(run.program().output(0).bytes, 6 * sizeof(float));
}

TEST_F(VulkanProgram, refuses_wide_integers_by_name_where_the_device_computes_in_32_bits) {
    graph::GraphParts parts;
    const auto x = add_operand(parts, graph::OperandKind::Input, "x", {4}, graph::DataType::Int64);
    const auto y = add_operand(parts, graph::OperandKind::Result, "y", {4}, graph::DataType::Int64);
    parts.nodes.push_back(unary(ops::UnaryKind::Neg, x, y));
    parts.inputs.push_back({.name = "x", .id = x});
    parts.outputs.push_back({.name = "y", .id = y});
    const graph::Graph graph = must(graph::Graph::create(std::move(parts)));
    vulkan::DeviceProfile profile = device_->profile();
    profile.int64 = false;
    const vulkan::Tuning tuning = vulkan::tuning_for(profile);
    const Status status =
        vulkan::supports_unary({.profile = profile, .tuning = tuning}, graph, graph.nodes()[0]);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Unsupported);
    EXPECT_NE(status.error().message.find("int64"), std::string::npos) << status.error().message;
}

TEST_F(VulkanProgram, refuses_tensors_beyond_one_binding) {
    const std::size_t range = device_->profile().max_storage_range;
    if (range >= graph::kMaxTensorBytes) {
        GTEST_SKIP() << "a binding holds every tensor";
    }
    const auto count = static_cast<std::uint32_t>(range / sizeof(float) + 1);
    graph::GraphParts parts;
    const auto x = add_operand(parts, graph::OperandKind::Input, "x", {count});
    const auto y = add_operand(parts, graph::OperandKind::Result, "y", {count});
    parts.nodes.push_back(unary(ops::UnaryKind::Neg, x, y));
    parts.inputs.push_back({.name = "x", .id = x});
    parts.outputs.push_back({.name = "y", .id = y});
    const graph::Graph graph = must(graph::Graph::create(std::move(parts)));
    const auto backend = must(vulkan::make_backend(device_));
    const Status status = backend->supports(graph, graph.nodes()[0]);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find(std::to_string(range)), std::string::npos)
        << status.error().message;
}

} // namespace
} // namespace sluice::testing
