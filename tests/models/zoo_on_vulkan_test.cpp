// SPDX-License-Identifier: Apache-2.0
// The zoo's networks on the Vulkan backend: they equal the CPU backend, lie wholly on the device,
// and keep to budgets of dispatches, barriers, copies and bytes that follow from their graphs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "core/engine.h"
#include "core/vulkan/backend.h"
#include "models/store/store.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/support/vulkan_program.h"
#include "tests/support/vulkan_watch.h"

namespace sluice::models {
namespace {

using testing::must;
using testing::ProgramRun;

class ZooOnVulkan : public testing::VulkanTest {
protected:
    // The CPU's executable, and its graph on the device.
    struct Both {
        std::unique_ptr<runtime::Executable> cpu;
        std::unique_ptr<runtime::Backend> backend;
        std::unique_ptr<ProgramRun> vulkan;
    };

    static void SetUpTestSuite() {
        if (auto opened = vulkan::Device::open(testing::vulkan_selector())) {
            shared_device_ = std::move(*opened);
        }
    }
    static void TearDownTestSuite() { shared_device_.reset(); }

    // Null where the file has not been fetched.
    std::unique_ptr<Both> open_both(std::string_view model) {
        auto stored = open_model(model, {.width = 64, .height = 48});
        if (!stored && stored.error().code == ErrorCode::NotFound) {
            return nullptr;
        }
        auto both = std::make_unique<Both>();
        both->cpu = must(compile(must(std::move(stored)).model.graph, {.device = DeviceKind::Cpu}));
        both->backend = must(vulkan::make_backend(device_));
        must(testing::supports_all(*both->backend, both->cpu->graph()));
        both->vulkan = std::make_unique<ProgramRun>(*both->backend, both->cpu->graph());
        return both;
    }

private:
    static inline std::shared_ptr<vulkan::Device> shared_device_;
};

void fill_inputs(runtime::Executable& cpu, ProgramRun& vulkan) {
    std::mt19937 random(1); // the same numbers everywhere
    for (std::size_t i = 0; i < cpu.inputs().size(); ++i) {
        for (float& value : cpu.input_floats(i)) {
            value = static_cast<float>(random() % 256) / 255.0F;
        }
        std::memcpy(vulkan.input(i).data(), cpu.input(i).data(), vulkan.input(i).size());
    }
}

// Sums in another order differ by some units in the last place of their largest term, a layer.
constexpr float kOfLargest = 1e-4F;

void expect_equal(const runtime::Executable& cpu, const ProgramRun& vulkan) {
    for (std::size_t i = 0; i < cpu.outputs().size(); ++i) {
        const auto expected = cpu.output_floats(i);
        const auto bytes = vulkan.output(i);
        const std::span actual(reinterpret_cast<const float*>(bytes.data()), expected.size());
        float largest = 0.0F;
        for (const float value : expected) {
            largest = std::max(largest, std::fabs(value));
        }
        float worst = 0.0F;
        for (std::size_t at = 0; at < expected.size(); ++at) {
            const float off = std::fabs(actual[at] - expected[at]);
            ASSERT_FALSE(std::isnan(actual[at]));
            worst = std::max(worst, off);
        }
        EXPECT_GT(largest, 0.0F);
        EXPECT_LE(worst, largest * kOfLargest) << cpu.outputs()[i].name;
    }
}

class ZooNetworkOnVulkan : public ZooOnVulkan,
                           public ::testing::WithParamInterface<std::string_view> {};

TEST_P(ZooNetworkOnVulkan, equals_the_cpu) {
    const auto both = open_both(GetParam());
    if (!both) {
        GTEST_SKIP() << GetParam() << " has not been fetched";
    }
    ASSERT_TRUE(both->vulkan->made());
    fill_inputs(*both->cpu, *both->vulkan);
    must(both->cpu->run());
    both->vulkan->run();
    expect_equal(*both->cpu, *both->vulkan);
}

std::vector<std::string_view> names() {
    std::vector<std::string_view> out;
    for (const Manifest& manifest : zoo()) {
        out.push_back(manifest.name);
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooNetworkOnVulkan, ::testing::ValuesIn(names()),
                         [](const auto& network) {
                             std::string name(network.param);
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

std::size_t rounded_up(std::size_t n, std::size_t step) {
    return (n + step - 1) / step * step;
}

// What one frame may cost, from the graph alone.
struct Budget {
    std::uint32_t dispatches = 0;
    std::uint32_t copies = 0;
    std::uint64_t bytes = 0;
};

// A fused operator is one dispatch, but a reshape none, and a concat one for every seven pieces,
// which all bind the whole result.
std::uint32_t dispatches_of(const graph::Node& node) {
    if (std::holds_alternative<ops::Concat>(node.attributes)) {
        return static_cast<std::uint32_t>((node.inputs.size() + 6) / 7);
    }
    return std::holds_alternative<ops::Reshape>(node.attributes) ? 0 : 1;
}

// Each operand is read or written once, and bound in whole vectors of 16 bytes. Filters and biases
// are packed for blocks of four output channels, and a convolution without a bias has one of zeros.
// Resampling reads a table besides: two places and a weight, a vector, for each row and column.
std::uint64_t bytes_of(const graph::Graph& graph, const graph::Node& node) {
    const std::uint64_t dispatches = dispatches_of(node);
    if (dispatches == 0) {
        return 0;
    }
    std::uint64_t bytes = 0;
    for (const graph::OperandId id : node.inputs) {
        const graph::TensorDesc& desc = graph.desc(id);
        std::size_t size = desc.byte_size();
        if (graph.operand(id).kind == graph::OperandKind::Constant) {
            const graph::Shape& y = graph.desc(node.outputs[0]).shape();
            const std::size_t channels = y[y.rank() - 1];
            if (desc.element_count() % channels == 0) {
                size = size / channels * rounded_up(channels, 4);
            }
        }
        bytes += rounded_up(size, 16);
    }
    for (const graph::OperandId id : node.outputs) {
        const graph::TensorDesc& desc = graph.desc(id);
        bytes += dispatches * rounded_up(desc.byte_size(), 16);
        bytes +=
            4 * rounded_up(desc.shape().rank() == 0 ? 1 : desc.shape()[desc.shape().rank() - 1], 4);
    }
    if (const auto* resample = std::get_if<ops::Resample2d>(&node.attributes)) {
        const graph::Shape& y = graph.desc(node.outputs[0]).shape();
        bytes += std::uint64_t{16} * (y[resample->axes[0]] + y[resample->axes[1]]);
    }
    return bytes;
}

Budget budget_of(const graph::Graph& graph) {
    Budget budget;
    for (const graph::Node& node : graph.nodes()) {
        budget.dispatches += dispatches_of(node);
        budget.bytes += bytes_of(graph, node);
        const bool leaves = std::ranges::any_of(
            graph.outputs(), [&](const auto& output) { return output.id == node.outputs[0]; });
        // Only a result that leaves the device cannot share its operand's memory.
        if (std::holds_alternative<ops::Reshape>(node.attributes) && leaves) {
            ++budget.copies;
            budget.bytes += 2 * graph.desc(node.outputs[0]).byte_size();
        }
    }
    return budget;
}

class ZooBudget : public ZooNetworkOnVulkan {};

TEST_P(ZooBudget, is_kept_by_every_frame) {
    const auto both = open_both(GetParam());
    if (!both) {
        GTEST_SKIP() << GetParam() << " has not been fetched";
    }
    ASSERT_TRUE(both->vulkan->made());
    const graph::Graph& graph = both->cpu->graph();
    const Budget budget = budget_of(graph);
    const runtime::DeviceWork work = both->vulkan->program().work();
    EXPECT_LE(work.dispatches, budget.dispatches);
    EXPECT_LE(work.copies, budget.copies);
    EXPECT_LE(work.bytes, budget.bytes);
    // At most one before each, and those between submissions.
    EXPECT_LE(work.barriers, work.dispatches + work.copies + 2);
    EXPECT_EQ(work.descriptor_updates, 0U);
    EXPECT_EQ(both->vulkan->program().border_bytes(), 0U); // lavapipe's memory is the host's
    // No frame does without reading its inputs and writing its outputs.
    std::uint64_t border = 0;
    for (const auto operands : {graph.inputs(), graph.outputs()}) {
        for (const graph::NamedOperand& operand : operands) {
            border += graph.desc(operand.id).byte_size();
        }
    }
    EXPECT_GE(work.bytes, border);
}

TEST_P(ZooBudget, is_recorded_before_the_first_frame) {
    const auto both = open_both(GetParam());
    if (!both) {
        GTEST_SKIP() << GetParam() << " has not been fetched";
    }
    if (!testing::vulkan_watch::works()) {
        GTEST_SKIP() << "the layer that counts calls was not found by the loader";
    }
    ASSERT_TRUE(both->vulkan->made());
    fill_inputs(*both->cpu, *both->vulkan);
    const std::uint64_t updates = testing::vulkan_watch::calls("vkUpdateDescriptorSets");
    const std::uint64_t made = testing::vulkan_watch::making_calls();
    EXPECT_GT(updates, 0U);
    for (int frame = 0; frame < 2; ++frame) {
        both->vulkan->run();
    }
    EXPECT_EQ(testing::vulkan_watch::calls("vkUpdateDescriptorSets"), updates);
    EXPECT_EQ(testing::vulkan_watch::making_calls(), made) << testing::vulkan_watch::list();
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooBudget, ::testing::ValuesIn(names()), [](const auto& network) {
    std::string name(network.param);
    std::ranges::replace(name, '-', '_');
    return name;
});

} // namespace
} // namespace sluice::models
