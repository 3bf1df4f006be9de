// SPDX-License-Identifier: Apache-2.0
// The zoo's networks on the Vulkan backend: they equal the CPU backend, lie wholly on the device,
// and keep to their budgets of dispatches, barriers and copies.
#include <algorithm>
#include <cmath>
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

// What one frame costs. A node is one dispatch, but a reshape none, and a concat one for
// every seven pieces.
void expect_budget(const ProgramRun& run, const graph::Graph& graph, std::uint32_t copies) {
    std::uint32_t dispatches = 0;
    for (const graph::Node& node : graph.nodes()) {
        if (std::holds_alternative<ops::Concat>(node.attributes)) {
            dispatches += static_cast<std::uint32_t>((node.inputs.size() + 6) / 7);
        } else if (!std::holds_alternative<ops::Reshape>(node.attributes)) {
            ++dispatches;
        }
    }
    const vulkan::RecordingCounts counts = run.program().counts();
    EXPECT_EQ(counts.dispatches, dispatches);
    EXPECT_LE(counts.copies, copies);
    // At most one before each, and those between submissions.
    EXPECT_LE(counts.barriers, counts.dispatches + counts.copies + 2);
    EXPECT_EQ(run.program().border_bytes(), 0U); // lavapipe's memory is the host's
}

TEST_F(ZooOnVulkan, face_detection_keeps_to_its_budget) {
    const auto both = open_both("face-detection-short-range");
    if (!both) {
        GTEST_SKIP() << "the model has not been fetched";
    }
    ASSERT_TRUE(both->vulkan->made());
    expect_budget(*both->vulkan, both->cpu->graph(), 0);
    EXPECT_LE(both->vulkan->program().counts().dispatches, 44U);
    EXPECT_LE(both->vulkan->program().counts().barriers, 40U);
}

TEST_F(ZooOnVulkan, super_resolution_keeps_to_its_budget) {
    const auto both = open_both("anime4k-x2-s");
    if (!both) {
        GTEST_SKIP() << "the model has not been fetched";
    }
    ASSERT_TRUE(both->vulkan->made());
    expect_budget(*both->vulkan, both->cpu->graph(), 1);
    EXPECT_LE(both->vulkan->program().counts().dispatches, 7U);
}

} // namespace
} // namespace sluice::models
