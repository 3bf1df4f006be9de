// SPDX-License-Identifier: Apache-2.0
// Operations counted by hand.
#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/graph/flop.h"

namespace sluice::graph {
namespace {

class Flop : public testing::Test {
protected:
    OperandId input(const char* name, const Shape& shape) {
        return *builder.input(name, *TensorDesc::create(DataType::Float32, shape));
    }
    std::uint64_t flop(OperandId output) {
        return flop_of(*builder.build({{.name = "y", .id = output}}));
    }

    GraphBuilder builder;
};

TEST_F(Flop, conv2d_counts_two_for_every_tap) {
    // 1x8x6x6 outputs, each of 3 channels times 3x3 taps, a multiplication and an addition each.
    EXPECT_EQ(flop(*builder.conv2d(input("x", {1, 3, 8, 8}), input("w", {8, 3, 3, 3}))),
              2U * 8 * 6 * 6 * 3 * 9);
}

TEST_F(Flop, depthwise_counts_one_channel_a_tap) {
    EXPECT_EQ(
        flop(*builder.conv2d(input("x", {1, 4, 8, 8}), input("w", {4, 1, 3, 3}), {.groups = 4})),
        2U * 4 * 6 * 6 * 9);
}

TEST_F(Flop, transposed_counts_from_the_input) {
    EXPECT_EQ(flop(*builder.conv_transpose2d(input("x", {1, 3, 4, 4}), input("w", {3, 5, 2, 2}),
                                             {.strides = {2, 2}})),
              2U * 3 * 4 * 4 * 5 * 4);
}

TEST_F(Flop, products_count_the_inner_dimension) {
    EXPECT_EQ(flop(*builder.gemm(input("a", {7, 2}), input("b", {7, 3}), {.a_transpose = true})),
              2U * 2 * 3 * 7);
}

TEST_F(Flop, recurrent_networks_count_both_products_of_every_step) {
    // 7 steps of 2 pictures; 4 gates of 5 units, each of 3 inputs and 5 states; 2 directions.
    const auto y =
        *builder.lstm(input("x", {7, 2, 3}), input("w", {2, 20, 3}), input("r", {2, 20, 5}),
                      {.steps = 7, .hidden_size = 5, .direction = ops::Direction::Both});
    EXPECT_EQ(flop(y[0]), 2U * 7 * 2 * 4 * 5 * (3 + 5) * 2);
}

TEST_F(Flop, cells_count_one_step) {
    EXPECT_EQ(flop(*builder.gru_cell(input("x", {2, 3}), input("w", {15, 3}), input("r", {15, 5}),
                                     input("h", {2, 5}), {.hidden_size = 5})),
              2U * 2 * 3 * 5 * (3 + 5));
}

TEST_F(Flop, batches_count_and_the_rest_is_free) {
    const auto product = *builder.matmul(input("a", {4, 2, 3}), input("b", {3, 5}));
    EXPECT_EQ(flop(*builder.relu(product)), 2U * 4 * 2 * 5 * 3);
}

} // namespace
} // namespace sluice::graph
