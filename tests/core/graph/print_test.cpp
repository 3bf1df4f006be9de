// SPDX-License-Identifier: Apache-2.0
// Graphs as text and DOT, compared with what the header promises.
#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/graph/print.h"
#include "tests/core/graph/descs.h"

namespace sluice::graph {
namespace {

Graph small() {
    GraphBuilder builder;
    const OperandId x = *builder.input("image", f32({1, 3, 8, 8}));
    const OperandId w = *builder.constant(f32({4, 3, 3, 3}),
                                          ConstantData::own(std::vector<std::byte>(432)), "stem/w");
    const OperandId y = *builder.conv2d(x, w, {.strides = {2, 2}}, {}, "a \"stem\"");
    const OperandId z = *builder.unary({.kind = ops::UnaryKind::Clamp, .alpha = 0, .beta = 6}, y);
    const auto pieces = *builder.split(z, {.sizes = {1, 3}, .axis = 1});
    return *builder.build({{.name = "low", .id = pieces[0]}, {.name = "high", .id = pieces[1]}});
}

TEST(Print, text_has_a_line_a_node) {
    EXPECT_EQ(to_text(small()),
              "input %0 float32[1,3,8,8] 'image'\n"
              "output %4 float32[1,1,3,3] 'low'\n"
              "output %5 float32[1,3,3,3] 'high'\n"
              "constant %1 float32[4,3,3,3] 'stem/w'\n"
              "%2 float32[1,4,3,3] = conv2d(%0, %1) strides=[2,2] 'a \"stem\"'\n"
              "%3 float32[1,4,3,3] = clamp(%2) min=0 max=6\n"
              "%4 float32[1,1,3,3], %5 float32[1,3,3,3] = split(%3) sizes=[1,3] axis=1\n");
}

TEST(Print, dot_leaves_constants_out_and_escapes_quotes) {
    EXPECT_EQ(to_dot(small()), "digraph sluice {\n"
                               "    rankdir=TB;\n"
                               "    node [shape=box];\n"
                               "    in0 [label=\"image\", shape=ellipse];\n"
                               "    n0 [label=\"conv2d\\nstrides=[2,2]\\na \\\"stem\\\"\"];\n"
                               "    in0 -> n0 [label=\"float32[1,3,8,8]\"];\n"
                               "    n1 [label=\"clamp\\nmin=0 max=6\"];\n"
                               "    n0 -> n1 [label=\"float32[1,4,3,3]\"];\n"
                               "    n2 [label=\"split\\nsizes=[1,3] axis=1\"];\n"
                               "    n1 -> n2 [label=\"float32[1,4,3,3]\"];\n"
                               "    out0 [label=\"low\", shape=ellipse];\n"
                               "    n2 -> out0 [label=\"float32[1,1,3,3]\"];\n"
                               "    out1 [label=\"high\", shape=ellipse];\n"
                               "    n2 -> out1 [label=\"float32[1,3,3,3]\"];\n"
                               "}\n");
}

} // namespace
} // namespace sluice::graph
