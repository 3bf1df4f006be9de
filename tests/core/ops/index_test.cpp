// SPDX-License-Identifier: Apache-2.0
// Inference of gathers, scatters, reverse, tile, triangular and cumulative_sum.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

TEST(Infer, gather) {
    const Gather second{.axis = 1};
    check(std::to_array<Row>({
        {Gather{}, {"int8[3]", "int64[]"}, "int8[]"},
        {Gather{}, {"float32[3,4]", "uint32[2,5]"}, "float32[2,5,4]"},
        {second, {"float16[3,4,5]", "int32[]"}, "float16[3,5]"},
        {second, {"float16[3,4,5]", "int32[7]"}, "float16[3,7,5]"},
        {Gather{}, {"int8[]", "int64[]"}, "!input int8[] has rank 0, not 1 or more"},
        {second, {"int8[3]", "int64[]"}, "!axis 1 is out of range for int8[3] of rank 1"},
        {Gather{},
         {"int8[3]", "float32[]"},
         "!indices has type float32, only int32, uint32 and int64 are allowed"},
        {Gather{},
         {"int8[3]", "uint64[]"},
         "!indices has type uint64, only int32, uint32 and int64 are allowed"},
        {Gather{},
         {"int8[3,1,1,1,1]", "int32[1,1,1,1,1]"},
         "!output: rank 9 is above the limit of 8"},
        {Gather{},
         {"int8[1,65536]", "int32[65536]"},
         "!output: int8[65536,65536] is above the limit of 2147483647 bytes"},
        {Gather{}, {"int8[3]"}, "!1 operands given where 2 are needed"},
    }));
}

TEST(Infer, gather_elements) {
    const GatherElements second{.axis = 1};
    check(std::to_array<Row>({
        {GatherElements{}, {"int8[3]", "int64[5]"}, "int8[5]"},
        {second, {"float32[3,4,5]", "uint32[3,1,5]"}, "float32[3,1,5]"},
        {GatherElements{}, {"int8[]", "int32[]"}, "!input int8[] has rank 0, not 1 or more"},
        {second, {"int8[3]", "int32[3]"}, "!axis 1 is out of range for int8[3] of rank 1"},
        {second, {"int8[3,4]", "int32[3]"}, "!indices int32[3] has rank 1, not 2"},
        {second,
         {"int8[3,4]", "int32[2,4]"},
         "!indices has shape [2,4], which differs from the input [3,4] on axis 0"},
    }));
}

TEST(Infer, gather_nd) {
    const GatherNd op;
    check(std::to_array<Row>({
        {op, {"int8[3]", "int64[1]"}, "int8[]"},
        {op, {"float32[3,4,5]", "uint32[7,2]"}, "float32[7,5]"},
        {op, {"float32[3,4,5]", "int32[2,6,1]"}, "float32[2,6,4,5]"},
        {op, {"float32[3]", "int32[]"}, "!indices int32[] has rank 0, not 1 or more"},
        {op, {"float32[]", "int32[1]"}, "!input float32[] has rank 0, not 1 or more"},
        {op,
         {"float32[3,4]", "int32[7,3]"},
         "!indices int32[7,3] has 3 coordinates for an input of float32[3,4]"},
        {op, {"int8[1,1,1,1,1,1]", "int32[1,1,1,1,1]"}, "!output: rank 9 is above the limit of 8"},
    }));
}

TEST(Infer, scatter_elements) {
    const ScatterElements second{.axis = 1};
    check(std::to_array<Row>({
        {ScatterElements{}, {"int8[3]", "int64[5]", "int8[5]"}, "int8[3]"},
        {second, {"float32[3,4]", "uint32[3,1]", "float32[3,1]"}, "float32[3,4]"},
        {second,
         {"float32[3,4]", "int32[3,1]", "float16[3,1]"},
         "!updates has type float16 but input has type float32"},
        {second,
         {"int8[3,4]", "int32[3,2]", "int8[3,1]"},
         "!updates has shape [3,1] but indices has shape [3,2]"},
        {second,
         {"int8[3,4]", "int32[2,2]", "int8[2,2]"},
         "!indices has shape [2,2], which differs from the input [3,4] on axis 0"},
        {second, {"int8[3,4]", "int32[3,2]"}, "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, scatter_nd) {
    const ScatterNd op;
    check(std::to_array<Row>({
        {op, {"int8[3]", "int64[1]", "int8[]"}, "int8[3]"},
        {op, {"float32[3,4,5]", "uint32[7,2]", "float32[7,5]"}, "float32[3,4,5]"},
        {op,
         {"float32[3,4,5]", "uint32[7,2]", "int32[7,5]"},
         "!updates has type int32 but input has type float32"},
        {op,
         {"float32[3,4,5]", "uint32[7,2]", "float32[7,4]"},
         "!updates has shape [7,4], not the rank and dimensions that indices [7,2] pick of the "
         "input [3,4,5]"},
        {op,
         {"float32[3]", "int32[7,2]", "float32[7]"},
         "!indices int32[7,2] has 2 coordinates for an input of float32[3]"},
    }));
}

TEST(Infer, reverse_and_tile) {
    check(std::to_array<Row>({
        {Reverse{}, {"uint64[3,4]"}, "uint64[3,4]"},
        {Reverse{.axes = {1, 0}}, {"int8[3,4]"}, "int8[3,4]"},
        {Reverse{.axes = {2}}, {"int8[3,4]"}, "!axis 2 is out of range for int8[3,4] of rank 2"},
        {Reverse{.axes = {1, 1}}, {"int8[3,4]"}, "!axis 1 is given twice"},
        {Tile{.repetitions = {2, 3}}, {"float16[3,4]"}, "float16[6,12]"},
        {Tile{}, {"float16[]"}, "float16[]"},
        {Tile{.repetitions = {2}}, {"int8[3,4]"}, "!1 repetitions given for an input of rank 2"},
        {Tile{.repetitions = {2, 0}},
         {"int8[3,4]"},
         "!0 repetitions of the 4 elements of axis 1 are not possible"},
        {Tile{.repetitions = {0x80000000}},
         {"int8[2]"},
         "!2147483648 repetitions of the 2 elements of axis 0 are not possible"},
        {Tile{.repetitions = {65536, 65536}},
         {"int8[1,1]"},
         "!output: int8[65536,65536] is above the limit of 2147483647 bytes"},
    }));
}

TEST(Infer, triangular_and_cumulative_sum) {
    check(std::to_array<Row>({
        {Triangular{}, {"uint8[3,4]"}, "uint8[3,4]"},
        {Triangular{.upper = false, .diagonal = -7}, {"float16[2,3,4]"}, "float16[2,3,4]"},
        {Triangular{}, {"uint8[3]"}, "!input uint8[3] has rank 1, not 2 or more"},
        {CumulativeSum{.axis = 1}, {"uint32[3,4]"}, "uint32[3,4]"},
        {CumulativeSum{.axis = 2},
         {"float32[3,4]"},
         "!axis 2 is out of range for float32[3,4] of rank 2"},
        {CumulativeSum{}, {"float32[]"}, "!input float32[] has rank 0, not 1 or more"},
        {CumulativeSum{},
         {"int8[3]"},
         "!input has type int8, only floats and integers of 32 or 64 bits are allowed"},
    }));
}

} // namespace
} // namespace sluice::ops
