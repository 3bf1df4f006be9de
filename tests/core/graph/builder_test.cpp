// SPDX-License-Identifier: Apache-2.0
// The builder: names, labels in errors, optional operands, and what build() demands.
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/float16.h"
#include "core/graph/builder.h"
#include "tests/core/graph/descs.h"

namespace sluice::graph {
namespace {

template <typename T>
void expect_error(const Result<T>& result, std::string_view sentence) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(result.error().message, sentence);
}

class Builder : public testing::Test {
protected:
    GraphBuilder builder;
    OperandId x = *builder.input("x", f32({1, 16, 8, 8}));
    OperandId filter = *builder.input("filter", f32({4, 16, 3, 3}));
};

TEST_F(Builder, errors_name_the_operator_and_the_label) {
    expect_error(builder.conv2d(x, filter, {.groups = 3}, {}, "stem"),
                 "conv2d 'stem': groups 3 does not divide 16 input channels");
    expect_error(builder.hard_swish(*builder.constant(DataType::Int32, 1), "act"),
                 "hard_swish 'act': input has type int32, only float32 and float16 are allowed");
    expect_error(builder.reduce(ops::ReduceKind::Mean, x, {{4}}, false, "gap"),
                 "reduce_mean 'gap': axis 4 is out of range for float32[1,16,8,8] of rank 4");
    expect_error(builder.pool2d(x, {.kind = ops::PoolKind::Max, .strides = {0, 1}}, "pool"),
                 "max_pool2d 'pool': strides [0,1] must be at least 1");
    expect_error(builder.arg_min_max(x, {.is_max = false, .axis = 9}, "am"),
                 "arg_min 'am': axis 9 is out of range for float32[1,16,8,8] of rank 4");
}

TEST_F(Builder, errors_name_the_place_where_there_is_no_label) {
    ASSERT_TRUE(builder.relu(x));
    expect_error(builder.softmax(x, 4),
                 "softmax #1: axis 4 is out of range for float32[1,16,8,8] of rank 4");
}

TEST_F(Builder, ids_out_of_range_are_refused) {
    const OperandId stranger{77};
    expect_error(builder.relu(stranger, "r"),
                 "relu 'r': operand %77 does not belong to this builder, which has 2");
    EXPECT_FALSE(builder.transpose(stranger));
    EXPECT_FALSE(builder.reduce(ops::ReduceKind::Sum, stranger));
    EXPECT_FALSE(builder.conv2d(x, filter, {}, stranger));
    EXPECT_FALSE(builder.add(x, kNoOperand));
    expect_error(builder.build({{.name = "y", .id = stranger}}),
                 "output 'y': operand %77 does not belong to this builder, which has 2");
}

TEST_F(Builder, a_failed_node_leaves_no_trace) {
    ASSERT_FALSE(builder.conv2d(x, filter, {.groups = 3}));
    const OperandId y = *builder.relu(x);
    const auto graph = builder.build({{.name = "y", .id = y}});
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->nodes().size(), 1U);
    EXPECT_EQ(graph->operands().size(), 3U);
}

TEST_F(Builder, input_names_are_unique_and_not_empty) {
    expect_error(builder.input("x", f32({1})), "input 'x': the name is used already");
    expect_error(builder.input("", f32({1})), "input: the name is empty");
}

TEST_F(Builder, constants_need_exactly_their_bytes) {
    expect_error(builder.constant(f32({3}), ConstantData::own(std::vector<std::byte>(11)), "w"),
                 "constant 'w': 11 bytes given, float32[3] has 12");
    const std::vector<float> values{1, 2, 3};
    const auto id = builder.constant(f32({3}), ConstantData::copy(std::span<const float>(values)));
    ASSERT_TRUE(id);
    float second = 0;
    std::memcpy(&second, builder.operand(*id).data.bytes.data() + 4, 4);
    EXPECT_EQ(second, 2.0F);
}

template <typename T>
T scalar(GraphBuilder& builder, DataType type, double value) {
    const auto id = builder.constant(type, value);
    const auto bytes = builder.operand(*id).data.bytes;
    EXPECT_EQ(bytes.size(), sizeof(T));
    T out{};
    std::memcpy(&out, bytes.data(), sizeof(T));
    return out;
}

TEST_F(Builder, scalar_constants_saturate) {
    EXPECT_EQ(scalar<float>(builder, DataType::Float32, 0.5), 0.5F);
    EXPECT_EQ(scalar<std::uint16_t>(builder, DataType::Float16, 1.0), 0x3C00);
    EXPECT_EQ(scalar<std::int8_t>(builder, DataType::Int8, 1000), 127);
    EXPECT_EQ(scalar<std::int8_t>(builder, DataType::Int8, -1000), -128);
    EXPECT_EQ(scalar<std::uint8_t>(builder, DataType::Uint8, -1), 0);
    EXPECT_EQ(scalar<std::uint8_t>(builder, DataType::Uint8, 7.9), 7);
    EXPECT_EQ(scalar<std::int64_t>(builder, DataType::Int64, 1e30),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(scalar<std::uint64_t>(builder, DataType::Uint64, 1e30),
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(scalar<std::int32_t>(builder, DataType::Int32, std::nan("")), 0);
    EXPECT_EQ(scalar<std::uint32_t>(builder, DataType::Uint32, 4294967295.0), 4294967295U);
}

TEST_F(Builder, optional_operands_set_the_flags) {
    const OperandId bias = *builder.input("bias", f32({4}));
    const OperandId y = *builder.conv2d(x, filter, {}, bias);
    const auto graph = builder.build({{.name = "y", .id = y}});
    ASSERT_TRUE(graph);
    EXPECT_TRUE(std::get<ops::Conv2d>(graph->nodes()[0].attributes).has_bias);
    EXPECT_EQ(graph->nodes()[0].inputs.size(), 3U);
    EXPECT_EQ(graph->desc(y).shape(), (Shape{1, 4, 6, 6}));
}

TEST_F(Builder, epilogues_belong_to_fusion) {
    constexpr std::string_view kSentence =
        "'c': an epilogue is set in the options; add the activation as a node of its own";
    expect_error(builder.conv2d(x, filter, {.activation = {.kind = ops::UnaryKind::Relu}}, {}, "c"),
                 "conv2d " + std::string(kSentence));
    expect_error(builder.conv2d(x, filter, {.has_residual = true}, {}, "c"),
                 "conv2d " + std::string(kSentence));
    expect_error(builder.gemm(x, filter, {.activation = {.kind = ops::UnaryKind::Relu}}, {}, "c"),
                 "gemm " + std::string(kSentence));
}

TEST_F(Builder, absent_options_get_webnn_defaults) {
    const std::vector<std::uint32_t> none;
    EXPECT_EQ(builder.desc(*builder.transpose(x)).shape(), (Shape{8, 8, 16, 1}));
    EXPECT_EQ(builder.desc(*builder.reduce(ops::ReduceKind::Sum, x)).rank(), 0U);
    EXPECT_EQ(builder.desc(*builder.reduce(ops::ReduceKind::Sum, x, none)).rank(), 4U)
        << "an empty list is not an absent one";
    EXPECT_EQ(builder.desc(*builder.transpose(*builder.constant(DataType::Int8, 1))).rank(), 0U);
}

TEST_F(Builder, refused_outputs_leave_the_builder_as_it_was) {
    const OperandId y = *builder.relu(x);
    expect_error(builder.build({}), "the graph has no output");
    expect_error(builder.build({{.name = "", .id = y}}), "an output has an empty name");
    EXPECT_EQ(builder.desc(y).shape(), (Shape{1, 16, 8, 8}));
    EXPECT_TRUE(builder.build({{.name = "y", .id = y}}));
}

TEST_F(Builder, builds_one_graph) {
    const OperandId y = *builder.relu(x);
    ASSERT_TRUE(builder.build({{.name = "y", .id = y}}));
    const std::string closed = "the builder has built its graph already; make a new builder";
    expect_error(builder.build({{.name = "y", .id = y}}), closed);
    expect_error(builder.input("z", f32({1})), "input 'z': " + closed);
    expect_error(builder.constant(DataType::Int8, 1), "constant '': " + closed);
    expect_error(builder.relu(x, "again"), "relu 'again': " + closed);
}

TEST_F(Builder, outputs_are_results) {
    expect_error(builder.build({{.name = "y", .id = x}}),
                 "output 'y' is an input or a constant; pass it through identity");
}

TEST_F(Builder, output_names_are_unique) {
    const OperandId y = *builder.relu(x);
    const OperandId z = *builder.abs(x);
    expect_error(builder.build({{.name = "y", .id = y}, {.name = "y", .id = z}}),
                 "output name 'y' is used twice");
}

TEST_F(Builder, split_returns_every_piece) {
    const auto pieces = builder.split(x, {.sizes = {4, 12}, .axis = 1});
    ASSERT_TRUE(pieces);
    ASSERT_EQ(pieces->size(), 2U);
    EXPECT_EQ(builder.desc((*pieces)[1]).shape(), (Shape{1, 12, 8, 8}));
}

TEST_F(Builder, titles_use_the_label_or_the_place) {
    const OperandId a = *builder.relu(x);
    const OperandId b = *builder.sigmoid(a, "gate");
    const auto graph = *builder.build({{.name = "y", .id = b}});
    EXPECT_EQ(title(graph, graph.nodes()[0]), "relu #0");
    EXPECT_EQ(title(graph, graph.nodes()[1]), "sigmoid 'gate'");
    const Node copy = graph.nodes()[0];
    EXPECT_EQ(title(graph, copy), "relu");
}

} // namespace
} // namespace sluice::graph
