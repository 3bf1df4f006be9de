// SPDX-License-Identifier: Apache-2.0
// gemm on every instruction set against loops in double precision.
#include "tests/core/cpu/conv_support.h"

namespace sluice::test {
namespace {

enum class C { None, Scalar, Row, RowRank2, Matrix };

struct GemmCase {
    std::uint32_t m, n, k;
    bool a_transpose = false;
    bool b_transpose = false;
    C c = C::None;
    double alpha = 1.0;
    double beta = 1.0;
    ops::UnaryKind activation = ops::UnaryKind::Identity;
};

std::size_t c_index(C c, std::size_t i, std::size_t j, std::size_t n) {
    switch (c) {
    case C::None:
    case C::Scalar: return 0;
    case C::Row:
    case C::RowRank2: return j;
    case C::Matrix: return i * n + j;
    }
    return 0;
}

class GemmTest : public ::testing::TestWithParam<GemmCase> {};

TEST_P(GemmTest, agrees_with_loops) {
    const GemmCase& t = GetParam();
    Random random(5);
    const auto shape = [](bool swap, std::uint32_t rows, std::uint32_t columns) {
        return swap ? graph::Shape{columns, rows} : graph::Shape{rows, columns};
    };
    std::vector<NodeInput> inputs;
    inputs.push_back({shape(t.a_transpose, t.m, t.k), random.floats(std::size_t{t.m} * t.k)});
    inputs.push_back({shape(t.b_transpose, t.k, t.n), random.floats(std::size_t{t.k} * t.n), true});
    switch (t.c) {
    case C::None: break;
    case C::Scalar: inputs.push_back({graph::Shape{}, random.floats(1), true}); break;
    case C::Row: inputs.push_back({{t.n}, random.floats(t.n), true}); break;
    case C::RowRank2: inputs.push_back({{1, t.n}, random.floats(t.n), true}); break;
    case C::Matrix: inputs.push_back({{t.m, t.n}, random.floats(std::size_t{t.m} * t.n)}); break;
    }
    const ops::Gemm op{.alpha = t.alpha,
                       .beta = t.beta,
                       .a_transpose = t.a_transpose,
                       .b_transpose = t.b_transpose,
                       .has_c = t.c != C::None,
                       .activation = {.kind = t.activation}};
    std::vector<double> expected;
    std::vector<double> magnitude;
    for (std::size_t i = 0; i < t.m; ++i) {
        for (std::size_t j = 0; j < t.n; ++j) {
            double sum = 0;
            double size = 0;
            for (std::size_t k = 0; k < t.k; ++k) {
                const float a = inputs[0].values[t.a_transpose ? k * t.m + i : i * t.k + k];
                const float b = inputs[1].values[t.b_transpose ? j * t.k + k : k * t.n + j];
                sum += static_cast<double>(a) * static_cast<double>(b);
                size += std::fabs(static_cast<double>(a) * static_cast<double>(b));
            }
            sum *= t.alpha;
            size *= std::fabs(t.alpha);
            if (t.c != C::None) {
                const double c = static_cast<double>(inputs[2].values[c_index(t.c, i, j, t.n)]);
                sum += t.beta * c;
                size += std::fabs(t.beta * c);
            }
            expected.push_back(activate(op.activation, sum));
            magnitude.push_back(size);
        }
    }
    for_each_instruction_set([&] { expect_close(run_on_cpu(op, inputs, 2), expected, magnitude); });
}

INSTANTIATE_TEST_SUITE_P(
    All, GemmTest,
    ::testing::Values(GemmCase{1, 1, 1}, GemmCase{1, 1000, 17}, GemmCase{7, 5, 3},
                      GemmCase{33, 24, 64}, GemmCase{200, 130, 90, false, false, C::Row},
                      GemmCase{10, 11, 12, true, false, C::RowRank2, 0.5, 2.0},
                      GemmCase{13, 8, 9, false, true, C::Scalar, -1.0, 0.25},
                      GemmCase{14, 20, 6, true, true, C::Matrix, 2.0},
                      GemmCase{14, 20, 6, true, true, C::Matrix, 2.0, 0.0},
                      GemmCase{5, 9, 40, false, false, C::Matrix, 1.0, 1.0, ops::UnaryKind::Relu},
                      GemmCase{5, 9, 40, false, false, C::Row, 1.0, 1.0, ops::UnaryKind::Tanh}));

TEST(Gemm, declines_a_product_of_two_inputs) {
    Random random(3);
    const std::vector<NodeInput> inputs = {{{2, 3}, random.floats(6)}, {{3, 2}, random.floats(6)}};
    const graph::Graph graph = one_node_graph(ops::Gemm{}, inputs);
    EXPECT_FALSE(cpu::backend().supports(graph, graph.nodes()[0]));
}

} // namespace
} // namespace sluice::test
