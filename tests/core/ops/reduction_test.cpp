// SPDX-License-Identifier: Apache-2.0
// Inference of reductions, arg_min_max and softmax.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

Attributes reduce(ReduceKind kind, std::vector<std::uint32_t> axes, bool keep = false) {
    return Reduce{.kind = kind, .axes = std::move(axes), .keep_dimensions = keep};
}

TEST(Infer, reduce) {
    check(std::to_array<Row>({
        {reduce(ReduceKind::Mean, {2, 0}), {"float32[2,3,4]"}, "float32[3]"},
        {reduce(ReduceKind::Mean, {2, 0}, true), {"float32[2,3,4]"}, "float32[1,3,1]"},
        {reduce(ReduceKind::Sum, {}), {"uint64[2,3]"}, "uint64[2,3]"},
        {reduce(ReduceKind::Sum, {0}), {"int32[2]"}, "int32[]"},
        {reduce(ReduceKind::Max, {0}), {"int8[2,3]"}, "int8[3]"},
        {reduce(ReduceKind::L1, {}), {"float16[]"}, "float16[]"},
        {reduce(ReduceKind::Sum, {1, 1}), {"float32[2,3]"}, "!axis 1 is given twice"},
        {reduce(ReduceKind::Sum, {2}),
         {"float32[2,3]"},
         "!axis 2 is out of range for float32[2,3] of rank 2"},
        {reduce(ReduceKind::Sum, {0}),
         {"float32[]"},
         "!axis 0 is out of range for float32[] of rank 0"},
        {reduce(ReduceKind::Mean, {0}),
         {"int32[2]"},
         "!input has type int32, only float32 and float16 are allowed"},
        {reduce(ReduceKind::Product, {0}),
         {"uint8[2]"},
         "!input has type uint8, only floats and integers of 32 or 64 bits are allowed"},
        {reduce(ReduceKind::Min, {0}), {}, "!0 operands given where 1 are needed"},
    }));
}

// The specification's table: which types each reduction takes, in the order of DataType.
TEST(Infer, reduce_allows_the_types_of_the_specification) {
    struct Allowed {
        ReduceKind kind;
        std::string_view types; // float32 float16 int32 uint32 int64 uint64 int8 uint8
    };
    for (const Allowed& row : std::to_array<Allowed>({{ReduceKind::L1, "yyyyyynn"},
                                                      {ReduceKind::L2, "yynnnnnn"},
                                                      {ReduceKind::LogSum, "yynnnnnn"},
                                                      {ReduceKind::LogSumExp, "yynnnnnn"},
                                                      {ReduceKind::Max, "yyyyyyyy"},
                                                      {ReduceKind::Mean, "yynnnnnn"},
                                                      {ReduceKind::Min, "yyyyyyyy"},
                                                      {ReduceKind::Product, "yyyyyynn"},
                                                      {ReduceKind::Sum, "yyyyyynn"},
                                                      {ReduceKind::SumSquare, "yyyyyynn"}})) {
        for (std::size_t i = 0; i < graph::kDataTypes.size(); ++i) {
            const auto input =
                *graph::TensorDesc::create(static_cast<graph::DataType>(i), graph::Shape{2});
            const auto outputs = infer(reduce(row.kind, {0}), std::span(&input, 1));
            EXPECT_EQ(outputs.has_value(), row.types[i] == 'y')
                << name(row.kind) << " of " << graph::to_string(input);
        }
    }
}

TEST(Infer, arg_min_max) {
    check(std::to_array<Row>({
        {ArgMinMax{.axis = 1}, {"float32[2,3,4]"}, "int32[2,4]"},
        {ArgMinMax{.axis = 1, .keep_dimensions = true}, {"uint8[2,3,4]"}, "int32[2,1,4]"},
        {ArgMinMax{.output_type = graph::DataType::Int64}, {"int8[5]"}, "int64[]"},
        {ArgMinMax{.axis = 3},
         {"float32[2,3,4]"},
         "!axis 3 is out of range for float32[2,3,4] of rank 3"},
        {ArgMinMax{}, {"float32[]"}, "!input float32[] has rank 0, not 1 or more"},
        {ArgMinMax{.output_type = graph::DataType::Uint32},
         {"float32[2]"},
         "!output type uint32 is not allowed, only int32 and int64"},
    }));
}

TEST(Infer, softmax) {
    check(std::to_array<Row>({
        {Softmax{.axis = 1}, {"float16[2,3]"}, "float16[2,3]"},
        {Softmax{.axis = 2},
         {"float32[2,3]"},
         "!axis 2 is out of range for float32[2,3] of rank 2"},
        {Softmax{}, {"float32[]"}, "!input float32[] has rank 0, not 1 or more"},
        {Softmax{}, {"int32[2]"}, "!input has type int32, only float32 and float16 are allowed"},
    }));
}

} // namespace
} // namespace sluice::ops
