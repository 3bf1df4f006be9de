// SPDX-License-Identifier: Apache-2.0
// Devices by name, what auto means, and networks on a Vulkan device with the CPU behind it.
#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "core/auto_device.h"
#include "core/engine.h"
#include "core/graph/builder.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"

namespace sluice {
namespace {

using graph::DataType;
using graph::GraphBuilder;
using graph::OperandId;
using graph::TensorDesc;
using testing::must;
using vulkan::DeviceProfile;
using vulkan::DeviceType;

TEST(DeviceChoice, names_round_trip) {
    for (const char* text :
         {"auto", "cpu", "reference", "vulkan", "vulkan:1", "vulkan:llvmpipe", "vulkan:a:b"}) {
        EXPECT_EQ(name(must(device_from_name(text))), text);
    }
    EXPECT_EQ(must(device_from_name("cpu")), DeviceKind::Cpu);
    EXPECT_EQ(must(device_from_name("vulkan:1")).kind, DeviceKind::Vulkan);
    EXPECT_EQ(must(device_from_name("vulkan:1")).selector, "1");
}

TEST(DeviceChoice, refuses_other_names_and_lists_those_that_exist) {
    for (const char* text : {"cup", "", "vulkan:", "cpu:1", "Vulkan", "auto:", ":1", "vulkan1"}) {
        const auto wrong = device_from_name(text);
        ASSERT_FALSE(wrong) << text;
        EXPECT_EQ(wrong.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(wrong.error().message,
                  std::string("there is no device '") + text +
                      "'; there are: auto, cpu, reference, vulkan, vulkan:NUMBER, "
                      "vulkan:PART-OF-ITS-NAME");
    }
}

DeviceProfile profile(std::string name, DeviceType type, std::string unusable = {}) {
    DeviceProfile made;
    made.name = std::move(name);
    made.type = type;
    made.unusable = std::move(unusable);
    return made;
}

TEST(AutoDevice, is_the_best_usable_gpu) {
    const std::array machine{profile("llvmpipe", DeviceType::Software),
                             profile("old", DeviceType::Discrete, "it is too old"),
                             profile("laptop", DeviceType::Integrated),
                             profile("card", DeviceType::Discrete)};
    EXPECT_EQ(choose_gpu(machine), 3U);
    EXPECT_EQ(choose_gpu(std::span(machine).first(3)), 2U);
    EXPECT_EQ(reason_of_choice(machine, 0, 3), "no GPU: the cpu device's own kernels are faster");
    EXPECT_EQ(reason_of_choice(machine, 1, 3), "it cannot be used: it is too old");
    EXPECT_EQ(reason_of_choice(machine, 2, 3), "auto prefers vulkan:3, a discrete GPU");
    EXPECT_EQ(reason_of_choice(machine, 3, 3), "the best GPU of this machine");
}

TEST(AutoDevice, is_the_cpu_where_there_is_no_gpu) {
    const std::array machine{profile("llvmpipe", DeviceType::Software),
                             profile("old", DeviceType::Discrete, "it is too old")};
    EXPECT_EQ(choose_gpu(machine), std::nullopt);
    EXPECT_EQ(choose_gpu({}), std::nullopt);
}

TEST(Devices, are_listed_with_the_one_that_auto_chooses) {
    const auto list = devices();
    EXPECT_EQ(std::ranges::count(list, true, &DeviceInfo::chosen_by_auto), 1);
    ASSERT_GE(list.size(), 3U);
    EXPECT_EQ(list[0].name, "cpu");
    EXPECT_EQ(list[1].name, "reference");
    const auto found = vulkan::list_devices();
    for (const DeviceInfo& device : list) {
        EXPECT_FALSE(device.reason.empty()) << device.name;
        EXPECT_FALSE(device.description.empty()) << device.name;
        EXPECT_TRUE(device_from_name(device.name)) << device.name;
        // Whatever a Vulkan device is asked for, it can or it cannot.
        const bool listed = found && device.name.starts_with("vulkan");
        EXPECT_EQ(device.can.size() + device.cannot.size() > 0, listed) << device.name;
    }
    EXPECT_EQ(list.size(), 2 + (found ? found->size() : 1));
}

struct Net {
    GraphBuilder builder;

    OperandId input(const char* name, const graph::Shape& shape) {
        return must(builder.input(name, must(TensorDesc::create(DataType::Float32, shape))));
    }
    OperandId constant(const graph::Shape& shape, float value) {
        const std::vector<float> values(shape.element_count(), value);
        return must(builder.constant(must(TensorDesc::create(DataType::Float32, shape)),
                                     graph::ConstantData::copy<float>(values)));
    }
};

// y = relu(conv3x3 of ones over x) - x
graph::Graph network() {
    Net net;
    const auto x = net.input("x", {1, 6, 5, 3});
    ops::Conv2d conv;
    conv.padding = {1, 1, 1, 1};
    conv.input_layout = ops::InputLayout::Nhwc;
    conv.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    const auto sum = must(net.builder.conv2d(x, net.constant({3, 3, 3, 3}, 0.5F), conv));
    const auto y = must(net.builder.sub(must(net.builder.relu(sum)), x));
    return must(net.builder.build({{.name = "y", .id = y}}));
}

std::vector<float> run(runtime::Executable& executable) {
    const auto x = executable.input_floats(0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = std::sin(static_cast<float>(i));
    }
    must(executable.run());
    const auto y = executable.output_floats(0);
    return {y.begin(), y.end()};
}

TEST(AutoDevice, is_what_the_list_says) {
    const auto list = devices();
    const auto chosen = std::ranges::find(list, true, &DeviceInfo::chosen_by_auto);
    ASSERT_NE(chosen, list.end());
    const auto executable = must(compile(network(), {}));
    EXPECT_TRUE(chosen->name.starts_with(executable->steps()[0].backend))
        << chosen->name << ", " << executable->steps()[0].backend;
}

class EngineOnVulkan : public testing::VulkanTest {
protected:
    [[nodiscard]] static EngineOptions options() {
        return {.device = DeviceChoice(DeviceKind::Vulkan, testing::vulkan_selector()),
                .threads = 1};
    }
};

TEST_F(EngineOnVulkan, runs_a_network_in_one_segment) {
    const auto executable = must(compile(network(), options()));
    ASSERT_EQ(executable->steps().size(), 1U);
    EXPECT_EQ(executable->steps()[0].backend, "vulkan");
    EXPECT_NE(executable->program(), nullptr);
    if (device_->profile().unified_memory) {
        EXPECT_EQ(executable->border_bytes(), 0U);
        EXPECT_EQ(executable->arena_bytes(), 0U);
    }
    const auto expected = run(*must(compile(network(), {.device = DeviceKind::Reference})));
    for (int round = 0; round < 3; ++round) {
        const auto actual = run(*executable);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < actual.size(); ++i) {
            EXPECT_NEAR(actual[i], expected[i], 1e-4F) << i;
        }
    }
}

TEST_F(EngineOnVulkan, leaves_to_the_host_what_the_device_cannot_and_says_why) {
    // Sums along an axis have no shader for integers of 64 bits.
    Net net;
    const auto x = net.input("x", {6});
    const auto e = must(net.builder.exp(x));
    const auto whole = must(net.builder.cast(e, DataType::Int64));
    const auto sum = must(net.builder.cumulative_sum(whole, {.axis = 0}));
    const auto y = must(net.builder.sqrt(must(net.builder.cast(sum, DataType::Float32))));
    const auto executable =
        must(compile(must(net.builder.build({{.name = "y", .id = y}})), options()));
    std::size_t elsewhere = 0;
    for (const runtime::PlannedStep& step : executable->steps()) {
        if (step.backend != "vulkan") {
            ++elsewhere;
            EXPECT_NE(step.reason.find("vulkan: "), std::string::npos) << step.title;
        }
    }
    EXPECT_GT(elsewhere, 0U);
    EXPECT_EQ(executable->program(), nullptr);
    const auto in = executable->input_floats(0);
    for (std::size_t i = 0; i < in.size(); ++i) {
        in[i] = 0.26F * static_cast<float>(i);
    }
    must(executable->run());
    const auto out = executable->output_floats(0);
    float total = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        total += std::trunc(std::exp(in[i]));
        EXPECT_NEAR(out[i], std::sqrt(total), 1e-5F) << i;
    }
}

TEST_F(EngineOnVulkan, names_the_devices_there_are_when_the_chosen_one_is_not) {
    const auto missing =
        compile(network(), {.device = DeviceChoice(DeviceKind::Vulkan, "no such GPU")});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_TRUE(missing.error().message.starts_with(
        "device vulkan:no such GPU: there is no Vulkan device 'no such GPU'; there are: 0 '"))
        << missing.error().message;
}

} // namespace
} // namespace sluice
