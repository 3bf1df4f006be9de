// SPDX-License-Identifier: Apache-2.0
// Inference of gemm and matmul.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

TEST(Infer, gemm) {
    check(std::to_array<Row>({
        {Gemm{}, {"float32[2,3]", "float32[3,4]"}, "float32[2,4]"},
        {Gemm{.a_transpose = true}, {"float16[3,2]", "float16[3,4]"}, "float16[2,4]"},
        {Gemm{.b_transpose = true}, {"float32[2,3]", "float32[4,3]"}, "float32[2,4]"},
        {Gemm{.a_transpose = true, .b_transpose = true},
         {"float32[3,2]", "float32[4,3]"},
         "float32[2,4]"},
        {Gemm{.has_c = true}, {"float32[2,3]", "float32[3,4]", "float32[2,1]"}, "float32[2,4]"},
        {Gemm{.has_c = true}, {"float32[2,3]", "float32[3,4]", "float32[]"}, "float32[2,4]"},
        {Gemm{.activation = {.kind = UnaryKind::Relu}},
         {"float32[2,3]", "float32[3,4]"},
         "float32[2,4]"},
        {Gemm{}, {"float32[2,3]", "float32[4,3]"}, "!A has 3 columns but B has 4 rows"},
        {Gemm{.a_transpose = true},
         {"float32[2,3]", "float32[3,4]"},
         "!A has 2 columns but B has 3 rows"},
        {Gemm{}, {"float32[3]", "float32[3,4]"}, "!a float32[3] has rank 1, not 2"},
        {Gemm{}, {"float32[2,3]", "float32[1,3,4]"}, "!b float32[1,3,4] has rank 3, not 2"},
        {Gemm{},
         {"int32[2,3]", "int32[3,4]"},
         "!a has type int32, only float32 and float16 are allowed"},
        {Gemm{}, {"float32[2,3]", "float16[3,4]"}, "!B has type float16 but A has type float32"},
        {Gemm{.has_c = true},
         {"float32[2,3]", "float32[3,4]", "float32[3]"},
         "!C [3] does not broadcast to [2,4]"},
        {Gemm{.has_c = true},
         {"float32[1,3]", "float32[3,4]", "float32[2,4]"},
         "!C [2,4] does not broadcast to [1,4]"},
        {Gemm{.has_c = true},
         {"float32[2,3]", "float32[3,4]", "float16[4]"},
         "!C has type float16 but A has type float32"},
        {Gemm{.has_c = true},
         {"float32[2,3]", "float32[3,4]"},
         "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, matmul) {
    const Matmul op;
    check(std::to_array<Row>({
        {op, {"float32[2,3]", "float32[3,4]"}, "float32[2,4]"},
        {op, {"float16[5,1,2,3]", "float16[7,3,4]"}, "float16[5,7,2,4]"},
        {op, {"float32[2,3]", "float32[4,4]"}, "!A has 3 columns but B has 4 rows"},
        {op, {"float32[3]", "float32[3,4]"}, "!a float32[3] has rank 1, not 2 or more"},
        {op, {"float32[2,3]", "float32[]"}, "!b float32[] has rank 0, not 2 or more"},
        {op,
         {"float32[2,2,3]", "float32[3,3,4]"},
         "!batch dimensions: shapes [2] and [3] do not broadcast"},
        {op, {"float32[2,3]", "float16[3,4]"}, "!B has type float16 but A has type float32"},
        {op, {"int8[2,3]", "int8[3,4]"}, "!a has type int8, only float32 and float16 are allowed"},
        {op, {"float32[2,3]"}, "!1 operands given where 2 are needed"},
    }));
}

} // namespace
} // namespace sluice::ops
