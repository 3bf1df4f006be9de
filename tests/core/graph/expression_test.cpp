// SPDX-License-Identifier: Apache-2.0
// Formulas: that they make the nodes which the builder's methods make, and how they fail.
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/graph/expression.h"
#include "core/graph/print.h"
#include "tests/core/graph/descs.h"

namespace sluice::graph {
namespace {

// A builder with the inputs x, w and b of a small convolution.
struct Net {
    GraphBuilder builder;
    OperandId x = *builder.input("x", f32({1, 3, 8, 8}));
    OperandId w = *builder.input("w", f32({4, 3, 3, 3}));
    OperandId b = *builder.input("b", f32({4, 1, 1}));

    [[nodiscard]] Expression of(OperandId id) { return {builder, id}; }
    [[nodiscard]] std::string text(const Result<OperandId>& y) {
        if (!y) {
            return y.error().message;
        }
        return to_text(*builder.build({{.name = "y", .id = *y}}));
    }
};

// The text of what a formula makes, and of what calls make.
void expect_same(const std::function<Expression(Expression, Expression, Expression)>& formula,
                 const std::function<Result<OperandId>(Net&)>& calls) {
    Net written;
    Net called;
    EXPECT_EQ(
        written.text(
            formula(written.of(written.x), written.of(written.w), written.of(written.b)).id()),
        called.text(calls(called)));
}

TEST(Expression, makes_the_nodes_of_the_builder) {
    expect_same([](auto x, auto w, auto b) { return relu(conv2d(x, w) + b, "stem"); },
                [](Net& net) {
                    const OperandId y = *net.builder.conv2d(net.x, net.w);
                    return net.builder.relu(*net.builder.add(y, net.b), "stem");
                });
    expect_same([](auto x, auto, auto) { return softmax(reshape(-x, {1, 192}), 1); },
                [](Net& net) {
                    const OperandId y = *net.builder.neg(net.x);
                    return net.builder.softmax(*net.builder.reshape(y, {1, 192}), 1);
                });
    expect_same([](auto x, auto, auto) { return concat(std::vector{max(x, x / x), x - x * x}, 1); },
                [](Net& net) {
                    const OperandId quotient = *net.builder.div(net.x, net.x);
                    const OperandId left = *net.builder.max(net.x, quotient);
                    const OperandId product = *net.builder.mul(net.x, net.x);
                    const std::array pieces{left, *net.builder.sub(net.x, product)};
                    return net.builder.concat(pieces, 1);
                });
}

TEST(Expression, takes_numbers_as_scalars_of_the_operands_type) {
    expect_same([](auto x, auto, auto) { return x * 0.5; },
                [](Net& net) {
                    const OperandId half = *net.builder.constant(DataType::Float32, 0.5);
                    return net.builder.mul(net.x, half);
                });
    expect_same([](auto x, auto, auto) { return 1.0 - x; },
                [](Net& net) {
                    const OperandId one = *net.builder.constant(DataType::Float32, 1.0);
                    return net.builder.sub(one, net.x);
                });
    Net net;
    const Expression whole(net.builder,
                           net.builder.input("i", *TensorDesc::create(DataType::Int8, Shape{2})));
    EXPECT_EQ(net.builder.desc(*(whole + 3).id()).type(), DataType::Int8);
}

TEST(Expression, fails_with_the_first_failure) {
    Net net;
    const auto y =
        relu(conv2d(net.of(net.x), net.of(net.w), {.groups = 2}, "stem") + net.of(net.b), "late");
    ASSERT_FALSE(y.id());
    EXPECT_EQ(y.id().error().message, "conv2d 'stem': groups 2 does not divide 3 input channels");
    const auto z = net.of(net.b) + y;
    EXPECT_EQ(z.id().error().message, y.id().error().message);
}

TEST(Expression, refuses_operands_of_two_builders) {
    Net net;
    Net other;
    const auto y = net.of(net.x) + other.of(other.x);
    ASSERT_FALSE(y.id());
    EXPECT_EQ(y.id().error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(y.id().error().message,
              "the operands of an expression are of two builders; make them with one");
}

TEST(Expression, reaches_the_other_operators) {
    Net net;
    const Expression x = net.of(net.x);
    const auto shape = [&](const Expression& y) {
        return y.id() ? to_string(net.builder.desc(*y.id())) : y.id().error().message;
    };
    EXPECT_EQ(shape(transpose(x, {0, 2, 3, 1})), "float32[1,8,8,3]");
    EXPECT_EQ(shape(pool2d(x, {.kind = ops::PoolKind::Max, .window = {2, 2}})), "float32[1,3,7,7]");
    EXPECT_EQ(shape(reduce(ops::ReduceKind::Mean, x, {{2, 3}}, true)), "float32[1,3,1,1]");
    EXPECT_EQ(shape(where(greater(x, x), x, x)), "float32[1,3,8,8]");
    EXPECT_EQ(shape(cast(x, DataType::Int32)), "int32[1,3,8,8]");
    EXPECT_EQ(shape(gather(x, cast(x.scalar(1), DataType::Int32), 1)), "float32[1,8,8]");
    EXPECT_EQ(shape(matmul(x, x)), "float32[1,3,8,8]");
    EXPECT_EQ(shape(pad(x, {.beginning = {0, 0, 1, 1}, .ending = {0, 0, 0, 0}})),
              "float32[1,3,9,9]");
    EXPECT_EQ(shape(expand(x.scalar(2), {2, 2})), "float32[2,2]");
    EXPECT_EQ(shape(slice(x, {.starts = {0, 0, 0, 0}, .sizes = {1, 1, 4, 8}})), "float32[1,1,4,8]");
    EXPECT_EQ(shape(resample2d(x, {.sizes = {4, 4}})), "float32[1,3,4,4]");
    EXPECT_EQ(shape(unary({.kind = ops::UnaryKind::Clamp, .alpha = 0, .beta = 6}, x)),
              "float32[1,3,8,8]");
    EXPECT_EQ(shape(conv_transpose2d(x, net.of(net.w), {}, "up")),
              "conv_transpose2d 'up': filter has 4 input channels where the input has 3");
}

} // namespace
} // namespace sluice::graph
