// SPDX-License-Identifier: Apache-2.0
// The quantization pass: which patterns become integers, and that they mean what the floats meant,
// to one step of the result's scale.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/graph/builder.h"
#include "core/graph/print.h"
#include "core/passes/pass_manager.h"
#include "core/reference/backend.h"
#include "core/runtime/evaluate.h"
#include "core/runtime/executable.h"
#include "core/runtime/packed_cache.h"
#include "tests/support/compare.h"
#include "tests/support/must.h"

namespace sluice::passes {
namespace {

using graph::DataType;
using graph::Graph;
using graph::OperandId;
using graph::Shape;
using graph::TensorDesc;
using sluice::testing::must;

using Backends = std::vector<const runtime::Backend*>;
const Backends kReferenceOnly{&reference::backend()};
const Backends kCpu{&cpu::backend(), &reference::backend()};

// A graph of quantised operands, each with its scale and zero point, under construction.
struct QuantizedNet {
    struct Value {
        OperandId floats;
        float scale;
        int zero_point;
    };

    explicit QuantizedNet(std::uint64_t seed, DataType byte_type) : type(byte_type), random(seed) {}

    int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }
    float uniform(float low, float high) {
        return std::uniform_real_distribution<float>(low, high)(random);
    }
    [[nodiscard]] int lowest() const { return type == DataType::Int8 ? -128 : 0; }

    template <typename T>
    OperandId constant(DataType of, const Shape& shape, const std::vector<T>& values) {
        return must(builder.constant(must(TensorDesc::create(of, shape)),
                                     graph::ConstantData::copy(std::span<const T>(values))));
    }
    OperandId bytes(const Shape& shape, int low, int high) {
        std::vector<std::uint8_t> values(shape.element_count());
        std::ranges::generate(values,
                              [&] { return static_cast<std::uint8_t>(integer(low, high)); });
        return constant(type, shape, values);
    }
    static Shape ones(std::size_t rank) { return Shape(std::vector<std::uint32_t>(rank, 1)); }
    std::size_t rank(OperandId id) { return builder.desc(id).rank(); }

    Value dequantized(OperandId x, float scale, int zero_point) {
        const Shape one = ones(rank(x));
        const OperandId zero =
            constant(type, one, std::vector{static_cast<std::uint8_t>(zero_point)});
        const OperandId factor = constant(DataType::Float32, one, std::vector{scale});
        return {must(builder.dequantize_linear(x, factor, zero)), scale, zero_point};
    }
    Value input(const Shape& shape) {
        const OperandId x = must(builder.input("x", must(TensorDesc::create(type, shape))));
        return dequantized(x, 0.02F, lowest() + integer(100, 150));
    }
    // quantizeLinear and dequantizeLinear by a scale that suits values up to `range`.
    Value requantized(OperandId x, float range) {
        // No simple ratio to other scales, which would make every other sum a tie.
        return requantized(x, range / uniform(110.0F, 125.0F), lowest() + integer(118, 138));
    }
    Value requantized(OperandId x, float scale, int zero_point) {
        const Shape one = ones(rank(x));
        const OperandId zero =
            constant(type, one, std::vector{static_cast<std::uint8_t>(zero_point)});
        const OperandId factor = constant(DataType::Float32, one, std::vector{scale});
        last = must(builder.quantize_linear(x, factor, zero));
        return dequantized(last, scale, zero_point);
    }
    // Weights with a scale for each index of `axis`, or one for all.
    OperandId weights(const Shape& shape, std::size_t axis, bool per_channel) {
        Shape scales = ones(shape.rank());
        scales[axis] = per_channel ? shape[axis] : 1;
        std::vector<float> factors(scales.element_count());
        std::ranges::generate(factors, [&] { return uniform(0.001F, 0.003F); });
        const int zero = type == DataType::Int8 ? 0 : integer(90, 160);
        const std::vector<std::uint8_t> zeros(factors.size(), static_cast<std::uint8_t>(zero));
        return must(builder.dequantize_linear(bytes(shape, lowest() + 1, lowest() + 255),
                                              constant(DataType::Float32, scales, factors),
                                              constant(type, scales, zeros)));
    }
    OperandId bias(std::uint32_t channels) {
        std::vector<std::int32_t> values(channels);
        std::ranges::generate(values, [&] { return integer(-4000, 4000); });
        const Shape shape{channels};
        return must(builder.dequantize_linear(
            constant(DataType::Int32, shape, values),
            constant(DataType::Float32, Shape{1}, std::vector{0.00004F}),
            constant(DataType::Int32, Shape{1}, std::vector{std::int32_t{0}})));
    }
    Graph build(OperandId out) {
        return must(builder.build({graph::NamedOperand{.name = "y", .id = out}}));
    }

    graph::GraphBuilder builder;
    OperandId last{}; // what quantizeLinear made
    DataType type;
    std::mt19937_64 random;
};

// A convolution with a random shape of window, stride, padding and groups.
QuantizedNet::Value random_conv(QuantizedNet& net, const QuantizedNet::Value& x) {
    const Shape shape = net.builder.desc(x.floats).shape();
    ops::Conv2d op;
    op.input_layout = ops::InputLayout::Nhwc;
    op.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    const auto kernel = static_cast<std::uint32_t>(2 * net.integer(0, 1) + 1);
    op.padding = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    const auto stride = static_cast<std::uint32_t>(shape[1] > 4 ? net.integer(1, 2) : 1);
    op.strides = {stride, stride};
    const bool depthwise = net.integer(0, 2) == 0;
    const std::uint32_t channels =
        depthwise ? shape[3] : static_cast<std::uint32_t>(net.integer(1, 40));
    op.groups = depthwise ? shape[3] : 1;
    const OperandId w =
        net.weights({channels, kernel, kernel, shape[3] / op.groups}, 0, net.integer(0, 1) == 1);
    std::optional<OperandId> bias;
    if (net.integer(0, 3) > 0) {
        bias = net.bias(channels);
    }
    OperandId y = must(net.builder.conv2d(x.floats, w, op, bias));
    const int function = net.integer(0, 2);
    if (function == 1) {
        y = must(net.builder.relu(y));
    } else if (function == 2) {
        y = must(net.builder.unary({.kind = ops::UnaryKind::Clamp, .alpha = 0.0, .beta = 1.5}, y));
    }
    return net.requantized(y, 3.0F);
}

QuantizedNet::Value random_function(QuantizedNet& net, const QuantizedNet::Value& x) {
    constexpr std::array kKinds{ops::UnaryKind::Sigmoid, ops::UnaryKind::HardSwish,
                                ops::UnaryKind::Tanh, ops::UnaryKind::Relu};
    const auto kind = kKinds[static_cast<std::size_t>(net.integer(0, 3))];
    return net.requantized(must(net.builder.unary({.kind = kind}, x.floats)), 2.0F);
}

QuantizedNet::Value random_movement(QuantizedNet& net, const QuantizedNet::Value& x) {
    const Shape shape = net.builder.desc(x.floats).shape();
    OperandId y{};
    switch (net.integer(0, 3)) {
    case 0: y = must(net.builder.transpose(x.floats, {0, 2, 1, 3})); break;
    case 1:
        y = must(net.builder.pad(x.floats, {.beginning = {0, 1, 0, 0}, .ending = {0, 0, 1, 0}}));
        break;
    case 2: {
        ops::Pool2d pool{.kind = ops::PoolKind::Max};
        pool.window = {2, 2};
        pool.padding = {1, 0, 1, 0};
        pool.layout = ops::InputLayout::Nhwc;
        y = must(net.builder.pool2d(x.floats, pool));
        break;
    }
    default: {
        const std::array twice{x.floats, x.floats};
        y = must(net.builder.concat(twice, shape[3] < 40 ? 3 : 1));
        break;
    }
    }
    return net.integer(0, 1) == 0 ? net.requantized(y, x.scale, x.zero_point)
                                  : net.requantized(y, 2.0F);
}

QuantizedNet::Value random_sum(QuantizedNet& net, const QuantizedNet::Value& x) {
    const QuantizedNet::Value other = random_function(net, x);
    const OperandId y = net.integer(0, 1) == 0 ? must(net.builder.add(x.floats, other.floats))
                                               : must(net.builder.mul(x.floats, other.floats));
    return net.requantized(y, 4.0F);
}

// The nodes of the optimised graph by name.
std::map<std::string_view, int> names_of(const Graph& graph) {
    std::map<std::string_view, int> names;
    for (const graph::Node& node : graph.nodes()) {
        ++names[ops::name_of(node.attributes)];
    }
    return names;
}

std::unique_ptr<runtime::Executable> run(const Graph& graph, const Backends& backends,
                                         bool optimize, std::uint64_t seed) {
    auto executable = must(runtime::Executable::compile(
        graph, {.backends = backends, .threads = 1, .optimize = optimize}));
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < executable->inputs().size(); ++i) {
        for (std::byte& byte : executable->input(i)) {
            byte = static_cast<std::byte>(std::uniform_int_distribution<int>(0, 255)(random));
        }
    }
    must(executable->run());
    return executable;
}

// Elements are no further apart than `allowed`.
void expect_near(const runtime::Executable& expected, const runtime::Executable& actual,
                 double allowed, const Graph& graph) {
    const TensorDesc& desc = expected.outputs()[0].desc;
    ASSERT_EQ(desc, actual.outputs()[0].desc);
    for (std::size_t i = 0; i < desc.element_count(); ++i) {
        const double e = sluice::testing::element(desc.type(), expected.output(0), i);
        const double a = sluice::testing::element(desc.type(), actual.output(0), i);
        ASSERT_LE(std::fabs(e - a), allowed) << i << " is " << a << ", not " << e << '\n'
                                             << graph::to_text(graph);
    }
}

QuantizedNet::Value one_node(QuantizedNet& net, const QuantizedNet::Value& x) {
    switch (net.integer(0, 5)) {
    case 0: return random_function(net, x);
    case 1: return random_movement(net, x);
    case 2: return random_sum(net, x);
    default: return random_conv(net, x);
    }
}

Shape random_picture(QuantizedNet& net) {
    return {1, static_cast<std::uint32_t>(net.integer(3, 11)),
            static_cast<std::uint32_t>(net.integer(3, 13)),
            static_cast<std::uint32_t>(net.integer(1, 40))};
}

// One node: its result is that of the floats to one step. More would add up what single steps
// become behind them.
TEST(Quantization, keeps_the_meaning_of_random_nodes_to_one_step) {
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        QuantizedNet net(seed, seed % 2 == 0 ? DataType::Int8 : DataType::Uint8);
        const auto x = net.input(random_picture(net));
        one_node(net, x);
        const Graph graph = net.build(net.last);
        const auto expected = run(graph, kReferenceOnly, false, seed);
        for (const Backends* backends : {&kReferenceOnly, &kCpu}) {
            const auto actual = run(graph, *backends, true, seed);
            expect_near(*expected, *actual, 1.0, graph);
            ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
            ASSERT_FALSE(names_of(actual->graph()).contains("conv2d")) << "seed " << seed;
        }
    }
}

// The kernels round as the reference does, but for what lies within a rounding of a tie.
TEST(Quantization, is_one_on_reference_and_cpu) {
    std::size_t different = 0;
    std::size_t all = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        QuantizedNet net(seed, seed % 2 == 0 ? DataType::Int8 : DataType::Uint8);
        const auto x = net.input(random_picture(net));
        one_node(net, x);
        const Graph graph = net.build(net.last);
        const auto expected = run(graph, kReferenceOnly, true, seed);
        const auto actual = run(graph, kCpu, true, seed);
        expect_near(*expected, *actual, 1.0, graph);
        for (std::size_t i = 0; i < expected->output(0).size(); ++i) {
            different += expected->output(0)[i] == actual->output(0)[i] ? 0 : 1;
        }
        all += expected->output(0).size();
    }
    EXPECT_LE(different, all / 1000);
}

TEST(Quantization, leaves_nothing_to_the_reference) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        QuantizedNet net(seed, seed % 2 == 0 ? DataType::Int8 : DataType::Uint8);
        auto x = net.input(random_picture(net));
        for (int i = net.integer(2, 6); i > 0; --i) {
            x = one_node(net, x);
        }
        const auto actual = run(net.build(net.last), kCpu, true, seed);
        for (const runtime::PlannedStep& step : actual->steps()) {
            EXPECT_EQ(step.backend, "cpu") << step.title << ": " << step.reason;
        }
    }
}

TEST(Quantization, leaves_no_floats_between_quantised_nodes) {
    QuantizedNet net(1, DataType::Int8);
    auto x = random_conv(net, net.input({1, 8, 8, 8}));
    x = random_movement(net, random_sum(net, random_function(net, x)));
    const auto executable = run(net.build(net.last), kCpu, true, 1);
    const auto names = names_of(executable->graph());
    EXPECT_EQ(names.count("dequantize_linear"), 0U) << graph::to_text(executable->graph());
    EXPECT_EQ(names.count("quantize_linear"), 0U);
    EXPECT_EQ(names.count("quantized_conv2d"), 1U) << graph::to_text(executable->graph());
    EXPECT_EQ(names.count("quantized_binary"), 1U);
}

// With int8 weights less their zero points, and with wider ones.
TEST(Quantization, packed_weights_are_those_of_an_earlier_compilation) {
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-int8-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const runtime::PackedPlace place{.file = std::filesystem::path(folder) / "a.bin",
                                         .key = {seed, 1}};
        QuantizedNet net(seed, seed % 2 == 0 ? DataType::Int8 : DataType::Uint8);
        random_conv(net, net.input({1, 9, 8, 8}));
        const Graph graph = net.build(net.last);
        const auto plain = run(graph, kCpu, true, seed);
        for (const bool is_first : {true, false}) {
            const runtime::PackedScope scope(place);
            const auto packed = run(graph, kCpu, true, seed);
            must(scope.save());
            if (std::filesystem::exists(place.file)) { // depthwise ones are not kept
                EXPECT_EQ(scope.served() > 0, !is_first) << "seed " << seed;
            }
            EXPECT_TRUE(std::ranges::equal(plain->output(0), packed->output(0))) << "seed " << seed;
        }
        std::filesystem::remove(place.file);
    }
    std::filesystem::remove_all(folder);
}

TEST(Quantization, makes_matrix_products_convolutions) {
    for (const bool transposed : {false, true}) {
        for (const bool as_matmul : {false, true}) {
            QuantizedNet net(3, DataType::Int8);
            const auto x = net.input({5, 24});
            const OperandId w = transposed && !as_matmul ? net.weights({17, 24}, 0, true)
                                                         : net.weights({24, 17}, 1, true);
            OperandId y{};
            if (as_matmul) {
                y = must(net.builder.matmul(x.floats, w));
            } else {
                y = must(net.builder.gemm(x.floats, w, {.b_transpose = transposed}, net.bias(17)));
            }
            net.requantized(must(net.builder.relu(y)), 2.0F);
            const Graph graph = net.build(net.last);
            const auto actual = run(graph, kCpu, true, 4);
            EXPECT_EQ(names_of(actual->graph()).at("quantized_conv2d"), 1);
            EXPECT_EQ(names_of(actual->graph()).count("quantize_linear"), 0U);
            expect_near(*run(graph, kReferenceOnly, false, 4), *actual, 1.0, graph);
        }
    }
}

TEST(Quantization, keeps_a_float_result_that_others_read) {
    QuantizedNet net(5, DataType::Int8);
    const auto x = net.input({1, 6, 6, 8});
    const OperandId w = net.weights({4, 3, 3, 8}, 0, true);
    ops::Conv2d op;
    op.input_layout = ops::InputLayout::Nhwc;
    op.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    const OperandId y = must(net.builder.conv2d(x.floats, w, op));
    net.requantized(y, 2.0F);
    const Graph graph =
        must(net.builder.build({{.name = "floats", .id = y}, {.name = "bytes", .id = net.last}}));
    const auto actual = run(graph, kCpu, true, 6);
    EXPECT_EQ(names_of(actual->graph()).at("quantized_conv2d"), 1);
    EXPECT_EQ(names_of(actual->graph()).at("quantize_linear"), 1);
    expect_near(*run(graph, kReferenceOnly, false, 6), *actual, 1e-4, graph);
}

TEST(Quantization, is_left_out_where_the_backends_lack_its_operators) {
    QuantizedNet net(7, DataType::Int8);
    random_conv(net, net.input({1, 6, 6, 8}));
    PassOptions options;
    options.context.on_host = false;
    options.context.evaluate = [](const graph::GraphParts& parts, const graph::Node& node) {
        return runtime::evaluate(parts, node, kReferenceOnly);
    };
    const Graph graph = must(run_passes(net.build(net.last), options));
    EXPECT_EQ(names_of(graph).count("quantized_conv2d"), 0U);
    EXPECT_EQ(names_of(graph).at("conv2d"), 1);
}

} // namespace
} // namespace sluice::passes
