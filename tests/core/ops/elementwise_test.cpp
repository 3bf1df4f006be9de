// SPDX-License-Identifier: Apache-2.0
// Inference of unary, binary, cast, where and dequantize_linear.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

Attributes unary(UnaryKind kind, double alpha = 0, double beta = 0) {
    return Unary{.function = {.kind = kind, .alpha = alpha, .beta = beta}};
}

Attributes binary(BinaryKind kind, UnaryKind activation = UnaryKind::Identity) {
    return Binary{.kind = kind, .activation = {.kind = activation}};
}

TEST(Infer, unary) {
    check(std::to_array<Row>({
        {unary(UnaryKind::Tanh), {"float16[2,3]"}, "float16[2,3]"},
        {unary(UnaryKind::Relu), {"int8[]"}, "int8[]"},
        {unary(UnaryKind::Abs), {"int64[7]"}, "int64[7]"},
        {unary(UnaryKind::Identity), {"uint64[7]"}, "uint64[7]"},
        {unary(UnaryKind::Clamp, 0, 6), {"uint8[7]"}, "uint8[7]"},
        {unary(UnaryKind::Clamp, 2, 2), {"float32[7]"}, "float32[7]"},
        {unary(UnaryKind::LogicalNot), {"uint8[3]"}, "uint8[3]"},
        {unary(UnaryKind::IsNan), {"float16[3]"}, "uint8[3]"},
        {unary(UnaryKind::Exp),
         {"int32[3]"},
         "!input has type int32, only float32 and float16 are allowed"},
        {unary(UnaryKind::Neg),
         {"uint32[3]"},
         "!input has type uint32, only floats and signed integers are allowed"},
        {unary(UnaryKind::LogicalNot), {"int8[3]"}, "!a has type int8, only uint8 is allowed"},
        {unary(UnaryKind::Clamp, 3, 2),
         {"float32[3]"},
         "!minimum 3 is not below or at the maximum 2"},
        {unary(UnaryKind::Relu), {}, "!0 operands given where 1 are needed"},
        {unary(UnaryKind::Relu), {"int8[]", "int8[]"}, "!2 operands given where 1 are needed"},
    }));
}

TEST(Infer, binary) {
    check(std::to_array<Row>({
        {binary(BinaryKind::Add), {"float32[2,1,4]", "float32[3,1]"}, "float32[2,3,4]"},
        {binary(BinaryKind::Pow), {"uint8[]", "uint8[2]"}, "uint8[2]"},
        {binary(BinaryKind::Greater), {"int64[2]", "int64[]"}, "uint8[2]"},
        {binary(BinaryKind::LogicalAnd), {"uint8[2]", "uint8[2]"}, "uint8[2]"},
        {binary(BinaryKind::Prelu), {"float32[3,2,5]", "float32[2,1]"}, "float32[3,2,5]"},
        {binary(BinaryKind::Add, UnaryKind::Relu), {"float32[2]", "float32[2]"}, "float32[2]"},
        {binary(BinaryKind::Add),
         {"float32[2]", "float32[3]"},
         "!shapes [2] and [3] do not broadcast"},
        {binary(BinaryKind::Add),
         {"float32[2]", "float16[2]"},
         "!second operand has type float16 but first operand has type float32"},
        {binary(BinaryKind::LogicalOr),
         {"int8[2]", "int8[2]"},
         "!a has type int8, only uint8 is allowed"},
        {binary(BinaryKind::Prelu),
         {"uint8[2]", "uint8[2]"},
         "!input has type uint8, only floats and signed integers are allowed"},
        {binary(BinaryKind::Add), {"float32[2]"}, "!1 operands given where 2 are needed"},
        {binary(BinaryKind::Add),
         {"uint8[65536,1]", "uint8[1,65536]"},
         "!output: uint8[65536,65536] is above the limit of 2147483647 bytes"},
        {binary(BinaryKind::Add, UnaryKind::Exp),
         {"int8[2]", "int8[2]"},
         "!epilogue exp: input has type int8, only float32 and float16 are allowed"},
        {binary(BinaryKind::Add, UnaryKind::IsNan),
         {"float32[2]", "float32[2]"},
         "!epilogue is_nan changes the type to uint8"},
    }));
}

TEST(Infer, cast_and_where) {
    check(std::to_array<Row>({
        {Cast{.to = graph::DataType::Int8}, {"float32[2,3]"}, "int8[2,3]"},
        {Cast{.to = graph::DataType::Int8}, {}, "!0 operands given where 1 are needed"},
        {Where{}, {"uint8[2,1]", "int32[3]", "int32[]"}, "int32[2,3]"},
        {Where{}, {"uint8[]", "float16[]", "float16[4]"}, "float16[4]"},
        {Where{},
         {"int8[2]", "int32[2]", "int32[2]"},
         "!condition has type int8, only uint8 is allowed"},
        {Where{},
         {"uint8[2]", "int32[2]", "uint32[2]"},
         "!false value has type uint32 but true value has type int32"},
        {Where{}, {"uint8[2]", "int8[3]", "int8[3]"}, "!shapes [2] and [3] do not broadcast"},
        {Where{}, {"uint8[2]", "int8[2]", "int8[3]"}, "!shapes [2] and [3] do not broadcast"},
        {Where{}, {"uint8[2]", "int8[3]"}, "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, dequantize_linear) {
    const DequantizeLinear op;
    check(std::to_array<Row>({
        {op, {"int8[6,4,5]", "float32[3,2,1]", "int8[3,2,1]"}, "float32[6,4,5]"},
        {op, {"uint8[6]", "float16[6]", "uint8[6]"}, "float16[6]"},
        {op, {"int32[]", "float32[]", "int32[]"}, "float32[]"},
        {op, {"uint32[2]", "float32[1]", "uint32[1]"}, "float32[2]"},
        {op,
         {"int64[2]", "float32[2]", "int64[2]"},
         "!input has type int64, only int32, uint32, int8 and uint8 are allowed"},
        {op,
         {"int8[2]", "int8[2]", "int8[2]"},
         "!scale has type int8, only float32 and float16 are allowed"},
        {op,
         {"int8[2]", "float32[2]", "uint8[2]"},
         "!zero point has type uint8 but input has type int8"},
        {op, {"int8[3,2]", "float32[2]", "int8[2]"}, "!scale float32[2] has rank 1, not 2"},
        {op,
         {"int8[3,2]", "float32[3,1]", "int8[1,2]"},
         "!zero point has shape [1,2] but scale has shape [3,1]"},
        {op,
         {"int8[3,2]", "float32[2,1]", "int8[2,1]"},
         "!scale [2,1] does not divide the input [3,2] on axis 0"},
        {op, {"int8[2]", "float32[2]"}, "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, quantize_linear) {
    const QuantizeLinear op;
    check(std::to_array<Row>({
        {op, {"float32[6,4,5]", "float32[3,2,1]", "int8[3,2,1]"}, "int8[6,4,5]"},
        {op, {"float16[6]", "float16[6]", "uint8[6]"}, "uint8[6]"},
        {op, {"float32[]", "float32[]", "uint32[]"}, "uint32[]"},
        {op,
         {"int8[2]", "float32[2]", "int8[2]"},
         "!input has type int8, only float32 and float16 are allowed"},
        {op,
         {"float32[2]", "float16[2]", "int8[2]"},
         "!scale has type float16 but input has type float32"},
        {op,
         {"float32[2]", "float32[2]", "int64[2]"},
         "!zero point has type int64, only int32, uint32, int8 and uint8 are allowed"},
        {op, {"float32[3,2]", "float32[2]", "int8[2]"}, "!scale float32[2] has rank 1, not 2"},
        {op,
         {"float32[3,2]", "float32[3,1]", "int8[1,2]"},
         "!zero point has shape [1,2] but scale has shape [3,1]"},
        {op,
         {"float32[3,2]", "float32[2,1]", "int8[2,1]"},
         "!scale [2,1] does not divide the input [3,2] on axis 0"},
        {op, {"float32[2]", "float32[2]"}, "!2 operands given where 3 are needed"},
    }));
}

} // namespace
} // namespace sluice::ops
