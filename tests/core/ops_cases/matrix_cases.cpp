// SPDX-License-Identifier: Apache-2.0
// gemm and matmul.
#include <cmath>
#include <format>

#include "tests/core/ops_cases/activations.h"
#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

struct MatrixRow {
    std::uint32_t m, k, n;
    bool a_transpose = false;
    bool b_transpose = false;
    double alpha = 1.0;
    double beta = 1.0;
    int c_rank = -1;       // no C
    bool c_column = false; // of [m, 1]
    ops::Activation activation{};
    DataType type = DataType::Float32;
    bool constant_b = true;
};

std::vector<Expected> expected_gemm(const MatrixRow& r, const OpCase& test) {
    const auto a = [&](std::uint32_t i, std::uint32_t k) {
        return test.operands[0].values[r.a_transpose ? k * r.m + i : i * r.k + k];
    };
    const auto b = [&](std::uint32_t k, std::uint32_t j) {
        return test.operands[1].values[r.b_transpose ? j * r.k + k : k * r.n + j];
    };
    Expected out;
    for (std::uint32_t i = 0; i < r.m; ++i) {
        for (std::uint32_t j = 0; j < r.n; ++j) {
            double sum = 0.0;
            double magnitude = 0.0;
            for (std::uint32_t k = 0; k < r.k; ++k) {
                sum += r.alpha * a(i, k) * b(k, j);
                magnitude += std::fabs(r.alpha * a(i, k) * b(k, j));
            }
            if (r.c_rank >= 0) {
                const double c = r.beta * broadcast_value(test.operands[2], {i, j});
                sum += c;
                magnitude += std::fabs(c);
            }
            out.values.push_back(expected_epilogue(r.activation, sum));
            out.magnitudes.push_back(magnitude);
        }
    }
    return {out};
}

OpCase gemm_case(const MatrixRow& r) {
    OpCase test;
    test.name = std::format("gemm/{}x{}x{}{}{}_alpha{}_beta{}_c{}{}_{}_{}{}", r.m, r.k, r.n,
                            r.a_transpose ? "_at" : "", r.b_transpose ? "_bt" : "", r.alpha, r.beta,
                            r.c_rank, r.c_column ? "column" : "", ops::name(r.activation.kind),
                            graph::name(r.type), r.constant_b ? "" : "_variable_b");
    ops::Gemm op;
    op.alpha = r.alpha;
    op.beta = r.beta;
    op.a_transpose = r.a_transpose;
    op.b_transpose = r.b_transpose;
    op.has_c = r.c_rank >= 0;
    op.activation = r.activation;
    test.attributes = op;
    Random random(test.name);
    const Shape a = r.a_transpose ? Shape{r.k, r.m} : Shape{r.m, r.k};
    const Shape b = r.b_transpose ? Shape{r.n, r.k} : Shape{r.k, r.n};
    test.operands = {random_operand(random, r.type, a, -1.0, 1.0),
                     random_operand(random, r.type, b, -1.0, 1.0)};
    test.operands[1].is_constant = r.constant_b;
    if (r.c_rank >= 0) {
        const Shape c = r.c_rank == 0   ? Shape{}
                        : r.c_rank == 1 ? Shape{r.n}
                        : r.c_column    ? Shape{r.m, 1}
                                        : Shape{r.m, r.n};
        test.operands.push_back(as_constant(random_operand(random, r.type, c, -1.0, 1.0)));
    }
    const bool half = r.type == DataType::Float16;
    test.absolute = half ? 1e-3 : 2e-6;
    test.relative = half ? 1e-3 : 1e-6;
    test.on_cpu = false; // told by the table below
    test.expected = [r](const OpCase& self) { return expected_gemm(r, self); };
    return test;
}

OpCase matmul_case(const Shape& a, const Shape& b, const Shape& y, DataType type) {
    OpCase test;
    test.name =
        std::format("matmul/{}_{}_{}", graph::to_string(a), graph::to_string(b), graph::name(type));
    test.attributes = ops::Matmul{};
    Random random(test.name);
    test.operands = {random_operand(random, type, a, -1.0, 1.0),
                     random_operand(random, type, b, -1.0, 1.0)};
    test.absolute = type == DataType::Float16 ? 2e-3 : 2e-6;
    test.relative = type == DataType::Float16 ? 1e-3 : 1e-6;
    test.on_cpu = type == DataType::Float32;
    test.expected = [=](const OpCase& self) {
        const std::size_t depth = a[a.rank() - 1];
        return std::vector{for_each_position(y, [&](const auto& at) {
            // A product by its own rules: the matrices of this batch, picked by broadcasting.
            double sum = 0.0;
            for (std::size_t k = 0; k < depth; ++k) {
                auto left = at;
                auto right = at;
                left.back() = k;
                right[right.size() - 2] = k;
                sum += broadcast_value(self.operands[0], left) *
                       broadcast_value(self.operands[1], right);
            }
            return sum;
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> matrix_cases() {
    std::vector<MatrixRow> rows;
    for (const bool at : {false, true}) {
        for (const bool bt : {false, true}) {
            rows.push_back({.m = 5, .k = 7, .n = 11, .a_transpose = at, .b_transpose = bt});
            rows.push_back({.m = 13,
                            .k = 33,
                            .n = 17,
                            .a_transpose = at,
                            .b_transpose = bt,
                            .alpha = 0.5,
                            .beta = -2.0,
                            .c_rank = 2});
        }
    }
    for (const std::uint32_t n : {1U, 2U, 8U, 23U, 64U, 96U}) {
        rows.push_back({.m = 1, .k = 96, .n = n, .c_rank = 1});
        rows.push_back({.m = 37, .k = 16, .n = n, .b_transpose = true, .c_rank = 1});
    }
    rows.push_back({.m = 1, .k = 1, .n = 1, .c_rank = 0});
    rows.push_back({.m = 6, .k = 5, .n = 9, .alpha = -1.5, .c_rank = 0});
    rows.push_back({.m = 6, .k = 5, .n = 9, .beta = 0.25, .c_rank = 2, .c_column = true});
    rows.push_back({.m = 6, .k = 5, .n = 9, .c_rank = 1, .constant_b = false});
    rows.push_back({.m = 67, .k = 71, .n = 73, .b_transpose = true, .c_rank = 1});
    rows.push_back({.m = 4, .k = 5, .n = 6, .c_rank = 1, .type = DataType::Float16});
    for (const ops::Activation& activation : kEpilogues) {
        rows.push_back(
            {.m = 3, .k = 24, .n = 19, .b_transpose = true, .c_rank = 1, .activation = activation});
    }
    std::vector<OpCase> cases;
    for (const MatrixRow& row : rows) {
        cases.push_back(gemm_case(row));
        // The form that networks have: constant weights, and C a row or absent.
        cases.back().on_cpu = row.type == DataType::Float32 && row.constant_b && !row.a_transpose &&
                              row.c_rank != 0 && row.c_rank != 2 && row.alpha == 1.0 &&
                              row.beta == 1.0;
    }
    cases.push_back(matmul_case({5, 7}, {7, 3}, {5, 3}, DataType::Float32));
    cases.push_back(matmul_case({2, 3, 5, 7}, {2, 3, 7, 4}, {2, 3, 5, 4}, DataType::Float32));
    cases.push_back(matmul_case({2, 1, 5, 7}, {3, 7, 4}, {2, 3, 5, 4}, DataType::Float32));
    cases.push_back(matmul_case({1, 7}, {4, 7, 1}, {4, 1, 1}, DataType::Float32));
    cases.push_back(matmul_case({3, 5}, {5, 2}, {3, 2}, DataType::Float16));
    cases.push_back(matmul_case({2, 61, 33}, {2, 33, 71}, {2, 61, 71}, DataType::Float32));
    for (const auto& [a, b, y] :
         std::to_array<std::array<Shape, 3>>({{{{5, 7}, {7, 3}, {5, 3}}},
                                              {{{2, 1, 5, 7}, {3, 7, 4}, {2, 3, 5, 4}}},
                                              {{{2, 61, 33}, {2, 33, 71}, {2, 61, 71}}}})) {
        OpCase constant = matmul_case(a, b, y, DataType::Float32);
        constant.name += "_constant_b";
        constant.operands[1].is_constant = true;
        cases.push_back(std::move(constant));
    }
    return cases;
}

} // namespace sluice::testing
