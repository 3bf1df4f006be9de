// SPDX-License-Identifier: Apache-2.0
// The tuner chooses the fastest candidate, keeps to its time, and believes no file but its own.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/vulkan/autotuner.h"
#include "core/vulkan/backend.h"
#include "core/vulkan/kernel_candidates.h"
#include "core/vulkan/lowerings.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/support/vulkan_program.h"

namespace sluice::vulkan {
namespace {

using namespace std::chrono_literals;
using graph::DataType;
using testing::must;

graph::TensorDesc desc(const graph::Shape& shape) {
    return must(graph::TensorDesc::create(DataType::Float32, shape));
}

graph::OperandId filter(graph::GraphBuilder& builder, const graph::Shape& shape) {
    std::vector<std::byte> bytes(shape.element_count() * sizeof(float));
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        const float value = static_cast<float>(i * 7 % 13) - 6.0F;
        std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
    }
    return must(builder.constant(desc(shape), graph::ConstantData::own(std::move(bytes))));
}

// softmax over lines of `columns`, whose kernel has the workgroup's size to choose.
graph::Graph softmax_of(std::uint32_t columns) {
    graph::GraphBuilder builder;
    const auto x = must(builder.input("x", desc({4, columns})));
    return must(builder.build({{"y", must(builder.softmax(x, 1))}}));
}

// Says that steps take the nanoseconds that are named for their line_invocations, and counts.
class FakeTimer final : public StepTimer {
public:
    struct Log {
        unsigned timed = 0;
        std::chrono::nanoseconds clock{0};
    };
    FakeTimer(Log& log, std::uint32_t fastest) : log_(log), fastest_(fastest) {}

    Result<std::uint64_t> time(Steps steps) override {
        ++log_.timed;
        log_.clock += 10ms;
        const auto& dispatch = std::get<DispatchStep>(steps.steps.front());
        const std::uint32_t invocations = dispatch.constants.front();
        if (invocations == 128) {
            return fail(ErrorCode::OutOfMemory, "the device has no room for {}", invocations);
        }
        return invocations == fastest_ ? 500 : 10000 + invocations;
    }

private:
    Log& log_;
    std::uint32_t fastest_;
};

class AutotunerOnFakeDevice : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "tunedXXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        profile_.name = "a device";
        profile_.type = DeviceType::Discrete;
        profile_.vendor_id = 0x10DE;
        profile_.driver_version = 7;
        profile_.max_workgroup_invocations = 256;
        profile_.shared_memory_bytes = 32768;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::filesystem::path file() const { return folder_ / "below" / "x.tuning"; }

    // What one tuner chooses for softmax; it keeps it in file().
    std::uint32_t choose(std::uint32_t fastest, std::uint32_t columns = 100,
                         std::chrono::nanoseconds budget = 1s) {
        const graph::Graph graph = softmax_of(columns);
        const Tuning table = tuning_for(profile_);
        log_ = {};
        Autotuner tuner(profile_, table, std::make_unique<FakeTimer>(log_, fastest),
                        {.file = file(), .budget = budget, .now = [this] { return log_.clock; }});
        const Tuning chosen = choose_by(tuner, graph);
        tuner.save();
        return chosen.line_invocations;
    }
    // Steps of a dispatch that shows the choice.
    static Tuning choose_by(Autotuner& tuner, const graph::Graph& graph) {
        return tuner.tuning_of(graph, graph.nodes()[0], [](const Tuning& tuning) -> Result<Steps> {
            Steps steps;
            steps.steps.emplace_back(DispatchStep{.shader = Shader::Softmax,
                                                  .constants = {tuning.line_invocations},
                                                  .buffers = {},
                                                  .push = {}});
            return steps;
        });
    }

    std::filesystem::path folder_;
    DeviceProfile profile_;
    FakeTimer::Log log_;
};

TEST_F(AutotunerOnFakeDevice, chooses_the_fastest_candidate) {
    EXPECT_EQ(choose(32), 32U);
    EXPECT_GT(log_.timed, 3U);
    std::filesystem::remove(file());
    EXPECT_EQ(choose(256), 256U);
}

TEST_F(AutotunerOnFakeDevice, does_not_choose_what_fails) {
    EXPECT_NE(choose(128), 128U);
}

TEST_F(AutotunerOnFakeDevice, stays_with_the_table_where_others_are_hardly_faster) {
    // Without a fastest one, fewer invocations are faster by less than a hundredth.
    profile_.vendor_id = 0x8086; // 64
    EXPECT_EQ(choose(0), 64U);
}

TEST_F(AutotunerOnFakeDevice, times_each_shape_once) {
    const Tuning table = tuning_for(profile_);
    Autotuner tuner(profile_, table, std::make_unique<FakeTimer>(log_, 32), {.now = {}});
    const graph::Graph one = softmax_of(100);
    EXPECT_EQ(choose_by(tuner, one).line_invocations, 32U);
    const unsigned timed = log_.timed;
    EXPECT_EQ(choose_by(tuner, one).line_invocations, 32U);
    EXPECT_EQ(log_.timed, timed);
    EXPECT_EQ(choose_by(tuner, softmax_of(101)).line_invocations, 32U);
    EXPECT_EQ(log_.timed, 2 * timed);
}

TEST_F(AutotunerOnFakeDevice, keeps_its_choices_on_disk) {
    EXPECT_EQ(choose(32), 32U);
    EXPECT_EQ(choose(256), 32U); // asks nobody
    EXPECT_EQ(log_.timed, 0U);
    EXPECT_EQ(choose(256, 101), 256U); // another shape, beside the first
    EXPECT_EQ(must(read_tuned_choices(file(), profile_)).size(), 2U);
    // No temporary file stays.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file().parent_path()), {}), 1);
}

TEST_F(AutotunerOnFakeDevice, keeps_to_its_time) {
    // Three candidates of 10 ms each, then the table's, which are not kept.
    const std::uint32_t by_table = tuning_for(profile_).line_invocations;
    EXPECT_EQ(choose(32, 100, 25ms), by_table);
    EXPECT_LE(log_.timed, 3U);
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_EQ(choose(32), 32U); // its turn again
}

TEST_F(AutotunerOnFakeDevice, believes_no_file_of_another_driver_or_device) {
    EXPECT_EQ(choose(32), 32U);
    profile_.driver_version = 8;
    EXPECT_EQ(choose(256), 256U);
    profile_.cache_uuid[0] = 1;
    EXPECT_EQ(read_tuned_choices(file(), profile_).error().code, ErrorCode::Parse);
    EXPECT_EQ(choose(32), 32U);
}

TEST_F(AutotunerOnFakeDevice, believes_no_file_cut_short_or_changed) {
    EXPECT_EQ(choose(32), 32U);
    std::ifstream stream(file(), std::ios::binary);
    const std::string good((std::istreambuf_iterator<char>(stream)), {});
    const auto put = [&](const std::string& text) {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
        return read_tuned_choices(file(), profile_);
    };
    for (std::size_t i = 0; i < good.size(); ++i) {
        ASSERT_EQ(put(good.substr(0, i)).error().code, ErrorCode::Parse) << i;
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0x10);
        ASSERT_EQ(put(bad).error().code, ErrorCode::Parse) << i;
    }
    EXPECT_EQ(choose(256), 256U); // and makes it anew
    EXPECT_EQ(choose(32), 256U);
}

TEST_F(AutotunerOnFakeDevice, forgets_candidates_that_are_no_more) {
    const graph::Graph graph = softmax_of(100);
    const std::string shape = kernel_shape(tuning_for(profile_), graph, graph.nodes()[0]);
    must(write_tuned_choices(file(), profile_, {{shape, "line 12345"}}));
    EXPECT_EQ(choose(32), 32U);
}

TEST(KernelCandidates, fit_the_device) {
    graph::GraphBuilder builder;
    const auto x = must(builder.input("x", desc({1, 16, 16, 8})));
    const auto w = filter(builder, {16, 3, 3, 8});
    const auto y = must(builder.conv2d(
        x, w,
        {.input_layout = ops::InputLayout::Nhwc, .filter_layout = ops::Conv2dFilterLayout::Ohwi}));
    const graph::Graph graph = must(builder.build({{"y", y}}));
    for (const std::uint32_t invocations : {128U, 256U, 1024U}) {
        DeviceProfile profile;
        profile.type = DeviceType::Discrete;
        profile.max_workgroup_invocations = invocations;
        const auto all = kernel_candidates(profile, tuning_for(profile), graph.nodes()[0]);
        EXPECT_GT(all.size(), 4U);
        EXPECT_EQ(all.front().name, "table");
        for (const KernelCandidate& candidate : all) {
            EXPECT_TRUE(!candidate.tuning.tiled || fits(candidate.tuning.wide, profile))
                << candidate.name;
            EXPECT_LE(candidate.tuning.direct_invocations, invocations);
        }
    }
}

TEST(AutotuneOption, is_for_hardware_unless_asked) {
    DeviceProfile software;
    software.type = DeviceType::Software;
    DeviceProfile hardware;
    hardware.type = DeviceType::Integrated;
    EXPECT_FALSE(is_autotuned(software, {}));
    EXPECT_TRUE(is_autotuned(hardware, {}));
    EXPECT_TRUE(is_autotuned(software, {.autotune = Autotune::Always}));
    EXPECT_FALSE(is_autotuned(hardware, {.autotune = Autotune::Never}));
}

class AutotunerOnDevice : public testing::VulkanTest {};

// A convolution whose tuned result is the one without tuning.
TEST_F(AutotunerOnDevice, changes_no_results) {
    graph::GraphBuilder builder;
    const auto x = must(builder.input("x", desc({1, 24, 20, 16})));
    const auto w = filter(builder, {32, 3, 3, 16});
    const auto conv = must(builder.conv2d(x, w,
                                          {.padding = {1, 1, 1, 1},
                                           .input_layout = ops::InputLayout::Nhwc,
                                           .filter_layout = ops::Conv2dFilterLayout::Ohwi}));
    const graph::Graph graph = must(builder.build({{"y", must(builder.softmax(conv, 3))}}));

    const Tuning table = tuning_for(device_->profile());
    // A generous budget: validation layers are slow.
    auto tuner = std::make_unique<Autotuner>(device_->profile(), table, make_step_timer(device_),
                                             AutotunerOptions{.budget = 60s, .now = {}});
    const auto tuned = must(make_backend(device_, table, std::move(tuner)));
    const auto plain = must(make_backend(device_, table));
    testing::ProgramRun a(*tuned, graph);
    testing::ProgramRun b(*plain, graph);
    ASSERT_TRUE(a.made() && b.made());
    for (std::size_t i = 0; i < a.input(0).size() / 4; ++i) {
        const auto value = static_cast<float>(i * 5 % 11) / 256.0F; // sums are exact
        std::memcpy(a.input(0).data() + 4 * i, &value, 4);
    }
    b.input(0) = a.input(0);
    a.run();
    b.run();
    const std::span ours(reinterpret_cast<const float*>(a.output(0).data()), 24 * 20 * 32);
    const std::span others(reinterpret_cast<const float*>(b.output(0).data()), 24 * 20 * 32);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        ASSERT_NEAR(ours[i], others[i], 1e-5) << i;
    }
}

TEST_F(AutotunerOnDevice, times_by_the_devices_clock) {
    const auto timer = make_step_timer(device_);
    const auto softmax_steps = [&](const graph::Graph& graph) {
        const runtime::Segment segment = testing::whole_graph(graph);
        const Tuning tuning = tuning_for(device_->profile());
        StepWriter writer({.profile = device_->profile(), .tuning = tuning}, graph, segment);
        must(lower_softmax(writer, graph.nodes()[0]));
        return std::move(writer).take();
    };
    const graph::Graph small = softmax_of(16);
    const graph::Graph large = softmax_of(1 << 20U);
    const std::uint64_t short_time = must(timer->time(softmax_steps(small)));
    const std::uint64_t long_time = must(timer->time(softmax_steps(large)));
    EXPECT_GT(short_time, 0U);
    EXPECT_GT(long_time, short_time);
}

} // namespace
} // namespace sluice::vulkan
