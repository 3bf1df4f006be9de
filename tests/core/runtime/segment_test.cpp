// SPDX-License-Identifier: Apache-2.0
// Segments: what a device backend is given, where its tensors lie, and what happens when it fails.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"

namespace sluice::runtime {
namespace {

using graph::DataType;
using graph::GraphBuilder;
using graph::OperandId;
using graph::TensorDesc;
using testing::must;

struct Tensor {
    alignas(kTensorAlignment) std::array<std::byte, 256> bytes;
};

// A device made of host memory: runs the reference kernels, node by node, in tensors of its own.
class FakeSegment final : public SegmentKernel {
public:
    FakeSegment(const graph::Graph& graph, Segment segment, bool shares_memory,
                const Status& health)
        : segment_(std::move(segment)), shares_memory_(shares_memory), health_(&health) {
        for (const graph::Node* node : segment_.nodes) {
            kernels_.push_back(must(reference::backend().lower(graph, *node)));
        }
        for (std::size_t i = 0; i < graph.operands().size(); ++i) {
            const auto id = OperandId(static_cast<std::uint32_t>(i));
            const graph::Operand& operand = graph.operand(id);
            sizes_.push_back(operand.desc.byte_size());
            std::ranges::copy(operand.data.bytes, tensors_[id].bytes.begin());
        }
    }

    void run(const KernelIo& io) const override {
        ++runs;
        for (std::size_t i = 0; i < segment_.inputs.size(); ++i) {
            copy(io.inputs[i], at(segment_.inputs[i]), segment_.inputs[i]);
        }
        for (std::size_t i = 0; i < kernels_.size(); ++i) {
            std::vector<const std::byte*> in;
            std::vector<std::byte*> out;
            std::ranges::transform(segment_.nodes[i]->inputs, std::back_inserter(in),
                                   [&](OperandId id) { return at(id); });
            std::ranges::transform(segment_.nodes[i]->outputs, std::back_inserter(out),
                                   [&](OperandId id) { return at(id); });
            std::vector<std::byte> scratch(kernels_[i]->scratch_bytes(1) + 1);
            kernels_[i]->run(
                {.inputs = in, .outputs = out, .scratch = scratch.data(), .threads = io.threads});
        }
        for (std::size_t i = 0; i < segment_.outputs.size(); ++i) {
            copy(at(segment_.outputs[i]), io.outputs[i], segment_.outputs[i]);
        }
    }
    std::span<std::byte> input_memory(std::size_t i) const override {
        return memory(segment_.inputs[i]);
    }
    std::span<std::byte> output_memory(std::size_t i) const override {
        return memory(segment_.outputs[i]);
    }
    std::uint64_t border_bytes() const override {
        std::uint64_t bytes = 0;
        for (const auto* ids : {&segment_.inputs, &segment_.outputs}) {
            for (const OperandId id : *ids) {
                bytes += shares_memory_ ? 0 : sizes_[graph::index(id)];
            }
        }
        return bytes;
    }
    DeviceWork work() const override { return {.dispatches = 7, .bytes = 70}; }
    Status last_run() const override { return *health_; }

    const Segment& segment() const { return segment_; }
    mutable unsigned runs = 0;
    mutable std::uint64_t copied = 0; // since it was made

private:
    std::byte* at(OperandId id) const { return tensors_.at(id).bytes.data(); }
    std::span<std::byte> memory(OperandId id) const {
        return shares_memory_ ? std::span(at(id), sizes_[graph::index(id)])
                              : std::span<std::byte>();
    }
    void copy(const std::byte* from, std::byte* to, OperandId id) const {
        if (from != to) {
            std::memcpy(to, from, sizes_[graph::index(id)]);
            copied += sizes_[graph::index(id)];
        }
    }

    Segment segment_;
    bool shares_memory_;
    const Status* health_;
    std::vector<std::unique_ptr<Kernel>> kernels_;
    std::vector<std::size_t> sizes_;
    mutable std::map<OperandId, Tensor> tensors_;
};

class FakeDevice final : public Backend {
public:
    FakeDevice(std::set<std::string_view> operators, bool shares_memory)
        : operators_(std::move(operators)), shares_memory_(shares_memory) {}

    std::string_view name() const override { return "fake"; }
    Status supports(const graph::Graph& /*graph*/, const graph::Node& node) const override {
        if (operators_.contains(ops::name_of(node.attributes))) {
            return {};
        }
        return fail(ErrorCode::Unsupported, "it cannot {}", ops::name_of(node.attributes));
    }
    Result<std::unique_ptr<Kernel>> lower(const graph::Graph& /*graph*/,
                                          const graph::Node& /*node*/) const override {
        return fail(ErrorCode::Internal, "must not be asked");
    }
    bool lowers_segments() const override { return true; }
    Result<std::unique_ptr<SegmentKernel>> lower_segment(const graph::Graph& graph,
                                                         const Segment& segment) const override {
        auto made = std::make_unique<FakeSegment>(graph, segment, shares_memory_, health);
        segments.push_back(made.get());
        return made;
    }

    mutable std::vector<const FakeSegment*> segments; // that it made; the executable's
    Status health;

private:
    std::set<std::string_view> operators_;
    bool shares_memory_;
};

constexpr std::size_t kBytes = 4 * sizeof(float);

struct Net {
    GraphBuilder builder;

    OperandId input(const char* name) {
        return must(
            builder.input(name, must(TensorDesc::create(DataType::Float32, graph::Shape{4}))));
    }
    OperandId two() {
        const std::array<float, 1> value{2.0F};
        return must(builder.constant(must(TensorDesc::create(DataType::Float32, graph::Shape{1})),
                                     graph::ConstantData::copy<float>(value)));
    }
};

// y = |exp(2x) - 2| reshaped, z = exp(2x): abs is what the device cannot do in most tests.
graph::Graph two_outputs() {
    Net net;
    const auto x = net.input("x");
    const auto e = must(net.builder.exp(must(net.builder.mul(x, net.two()))));
    const auto a = must(net.builder.abs(must(net.builder.sub(e, net.two()))));
    const auto y = must(net.builder.reshape(a, {2, 2}));
    return must(net.builder.build({{.name = "y", .id = y}, {.name = "z", .id = e}}));
}

constexpr std::array kX{-1.0F, 0.0F, 0.25F, 0.5F};

void expect_results(Executable& executable) {
    std::ranges::copy(kX, executable.input_floats(0).begin());
    for (int round = 0; round < 2; ++round) { // the input is written once
        must(executable.run());
        for (std::size_t i = 0; i < kX.size(); ++i) {
            const float e = std::exp(2 * kX[i]);
            EXPECT_FLOAT_EQ(executable.output_floats(0)[i], std::abs(e - 2)) << i;
            EXPECT_FLOAT_EQ(executable.output_floats(1)[i], e) << i;
        }
    }
}

std::unique_ptr<Executable> compile_for(const FakeDevice& device, graph::Graph graph) {
    const std::array<const Backend*, 2> backends{&device, &reference::backend()};
    return must(Executable::compile(std::move(graph),
                                    {.backends = backends, .threads = 1, .optimize = false}));
}

TEST(Segments, are_the_whole_graph_where_the_device_can_everything) {
    const FakeDevice device({"mul", "exp", "sub", "abs", "reshape"}, true);
    const auto executable = compile_for(device, two_outputs());
    ASSERT_EQ(device.segments.size(), 1U);
    EXPECT_EQ(executable->program(), device.segments[0]);
    const Segment& segment = device.segments[0]->segment();
    EXPECT_EQ(segment.nodes.size(), 5U);
    EXPECT_EQ(segment.inputs.size(), 1U); // no constants
    EXPECT_EQ(segment.outputs.size(), 2U);
    expect_results(*executable);
    // Nothing crosses the border: the caller writes and reads the device's memory.
    EXPECT_EQ(device.segments[0]->copied, 0U);
    EXPECT_EQ(executable->border_bytes(), 0U);
    EXPECT_EQ(executable->arena_bytes(), 0U);
    EXPECT_EQ(executable->input(0).data(), device.segments[0]->input_memory(0).data());
    ASSERT_EQ(executable->steps().size(), 1U);
    const PlannedStep& step = executable->steps()[0];
    EXPECT_EQ(step.backend, "fake");
    EXPECT_EQ(step.title, "5 nodes, mul #0 to reshape #4");
    EXPECT_EQ(step.nodes.size(), 5U);
    EXPECT_TRUE(step.reason.empty());
    ASSERT_TRUE(step.work);
    EXPECT_EQ(step.work->dispatches, 7U);
    EXPECT_EQ(step.work->bytes, 70U);
    EXPECT_EQ(must(executable->profile()).size(), 1U);
}

TEST(Segments, end_where_the_device_declines_a_node) {
    const FakeDevice device({"mul", "exp", "sub", "reshape"}, true);
    const auto executable = compile_for(device, two_outputs());
    ASSERT_EQ(executable->steps().size(), 3U);
    EXPECT_EQ(executable->program(), nullptr);
    const auto steps = executable->steps();
    EXPECT_EQ(steps[0].title, "3 nodes, mul #0 to sub #2");
    EXPECT_EQ(steps[1].title, "abs #3");
    EXPECT_EQ(steps[1].backend, "reference");
    EXPECT_FALSE(steps[1].work);
    EXPECT_EQ(steps[1].reason, "fake: it cannot abs");
    EXPECT_EQ(steps[2].title, "reshape #4");
    ASSERT_EQ(device.segments.size(), 2U);
    EXPECT_EQ(device.segments[0]->segment().outputs.size(), 2U); // z, and what abs reads
    expect_results(*executable);
    EXPECT_EQ(device.segments[0]->copied + device.segments[1]->copied, 0U);
    EXPECT_EQ(executable->border_bytes(), 0U);
}

TEST(Segments, copy_at_their_borders_where_the_device_has_memory_of_its_own) {
    const FakeDevice device({"mul", "exp", "sub", "reshape"}, false);
    const auto executable = compile_for(device, two_outputs());
    expect_results(*executable);
    // x, z and exp(2x) - 2; |…| and y: twice.
    EXPECT_EQ(device.segments[0]->copied, 2 * 3 * kBytes);
    EXPECT_EQ(device.segments[1]->copied, 2 * 2 * kBytes);
    EXPECT_EQ(executable->border_bytes(), 5 * kBytes);
}

TEST(Segments, leave_a_reshape_of_the_host_without_memory) {
    const FakeDevice device({"mul", "exp", "sub", "abs"}, true);
    Net net;
    const auto x = net.input("x");
    const auto flat = must(net.builder.reshape(must(net.builder.exp(x)), {2, 2}));
    const auto y = must(net.builder.abs(flat));
    const auto executable = compile_for(device, must(net.builder.build({{.name = "y", .id = y}})));
    ASSERT_EQ(executable->steps().size(), 2U); // the reshape is none
    std::ranges::copy(kX, executable->input_floats(0).begin());
    must(executable->run());
    EXPECT_FLOAT_EQ(executable->output_floats(0)[0], std::exp(kX[0]));
    // The second segment reads where the first one wrote: the one copy there is.
    EXPECT_EQ(device.segments[1]->copied, kBytes);
    EXPECT_EQ(executable->border_bytes(), kBytes);
}

TEST(Segments, have_the_graphs_inputs_and_outputs_in_its_order) {
    const FakeDevice device({"add", "sub"}, true);
    Net net;
    const auto a = net.input("a");
    const auto b = net.input("b");
    const auto first = must(net.builder.sub(b, a)); // reads them the other way round
    const auto second = must(net.builder.add(first, first));
    const auto executable =
        compile_for(device, must(net.builder.build({{.name = "second", .id = second},
                                                    {.name = "first", .id = first}})));
    ASSERT_EQ(device.segments.size(), 1U);
    const Segment& segment = device.segments[0]->segment();
    EXPECT_EQ(segment.inputs, (std::vector{a, b}));
    EXPECT_EQ(segment.outputs, (std::vector{second, first}));
    EXPECT_NE(executable->program(), nullptr);
}

TEST(Segments, are_no_program_where_an_input_is_not_read) {
    const FakeDevice device({"abs"}, true);
    Net net;
    const auto a = net.input("a");
    net.input("unused");
    const auto y = must(net.builder.abs(a));
    const auto executable = compile_for(device, must(net.builder.build({{.name = "y", .id = y}})));
    EXPECT_EQ(executable->steps().size(), 1U);
    EXPECT_EQ(executable->program(), nullptr);
    ASSERT_EQ(executable->inputs().size(), 2U);
    EXPECT_EQ(executable->input(1).size(), kBytes);
}

TEST(Segments, end_a_run_when_their_device_fails) {
    FakeDevice device({"mul", "exp", "sub", "reshape"}, true);
    const auto executable = compile_for(device, two_outputs());
    must(executable->run());
    device.health = fail(ErrorCode::DeviceLost, "the fake device is lost");
    const Status failed = executable->run();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::DeviceLost);
    EXPECT_EQ(device.segments[0]->runs, 2U);
    EXPECT_EQ(device.segments[1]->runs, 1U); // not reached
    EXPECT_FALSE(executable->profile());
}

TEST(Segments, are_not_made_to_fold_constants) {
    const FakeDevice device({"mul", "exp", "sub", "abs", "reshape", "add"}, true);
    Net net;
    const auto x = net.input("x");
    const auto four = must(net.builder.mul(net.two(), net.two()));
    const auto y = must(net.builder.add(x, four));
    const std::array<const Backend*, 2> backends{&device, &reference::backend()};
    const auto executable = must(Executable::compile(
        must(net.builder.build({{.name = "y", .id = y}})), {.backends = backends, .threads = 1}));
    ASSERT_EQ(device.segments.size(), 1U);
    EXPECT_EQ(device.segments[0]->segment().nodes.size(), 1U);
    std::ranges::copy(kX, executable->input_floats(0).begin());
    must(executable->run());
    EXPECT_FLOAT_EQ(executable->output_floats(0)[3], 4.5F);
}

} // namespace
} // namespace sluice::runtime
