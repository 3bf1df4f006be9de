// SPDX-License-Identifier: Apache-2.0
// Inference of concat, expand, pad, reshape, slice, split and transpose.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

TEST(Infer, concat) {
    check(std::to_array<Row>({
        {Concat{.axis = 1}, {"int8[2,3]", "int8[2,1]", "int8[2,4]"}, "int8[2,8]"},
        {Concat{}, {"float32[5]"}, "float32[5]"},
        {Concat{}, {}, "!no operands given where at least 1 is needed"},
        {Concat{.axis = 2},
         {"int8[2,3]", "int8[2,3]"},
         "!axis 2 is out of range for int8[2,3] of rank 2"},
        {Concat{}, {"int8[]", "int8[]"}, "!inputs int8[] has rank 0, not 1 or more"},
        {Concat{},
         {"int8[2]", "uint8[2]"},
         "!operand 1 has type uint8 but operand 0 has type int8"},
        {Concat{}, {"int8[2]", "int8[2,1]"}, "!operand 1 int8[2,1] has rank 2, not 1"},
        {Concat{.axis = 1},
         {"int8[2,3]", "int8[2,3]", "int8[4,3]"},
         "!operand 2 has shape [4,3], which differs from [2,3] on axis 0"},
        {Concat{},
         {"uint8[2147483647]", "uint8[2147483647]", "uint8[2147483647]"},
         "!the sum of the dimensions on axis 0 overflows"},
        {Concat{},
         {"uint8[2147483647]", "uint8[1]"},
         "!output: uint8[2147483648] is above the limit of 2147483647 bytes"},
    }));
}

TEST(Infer, expand_and_reshape) {
    check(std::to_array<Row>({
        {Expand{.shape = {2, 3}}, {"int8[3]"}, "int8[2,3]"},
        {Expand{.shape = {}}, {"int8[]"}, "int8[]"},
        {Expand{.shape = {2, 3}}, {"int8[2]"}, "!input [2] does not broadcast to [2,3]"},
        {Expand{.shape = {3}}, {"int8[2,3]"}, "!input [2,3] does not broadcast to [3]"},
        {Expand{.shape = {0}}, {"int8[1]"}, "!output: dimension 0 of [0] is 0"},
        {Reshape{.shape = {3, 2}}, {"float16[6]"}, "float16[3,2]"},
        {Reshape{.shape = {}}, {"float16[1,1]"}, "float16[]"},
        {Reshape{.shape = {4}}, {"float16[2,3]"}, "!input [2,3] has 6 elements but [4] needs 4"},
        {Reshape{.shape = {6, 0}}, {"float16[2,3]"}, "!output: dimension 1 of [6,0] is 0"},
    }));
}

TEST(Infer, pad) {
    check(std::to_array<Row>({
        {Pad{.beginning = {1, 0}, .ending = {2, 3}}, {"int8[2,3]"}, "int8[5,6]"},
        {Pad{.beginning = {}, .ending = {}}, {"int8[]"}, "int8[]"},
        {Pad{.beginning = {2}, .ending = {2}, .mode = PaddingMode::Reflection},
         {"int8[3]"},
         "int8[7]"},
        {Pad{.beginning = {9}, .ending = {0}, .mode = PaddingMode::Edge}, {"int8[3]"}, "int8[12]"},
        {Pad{.beginning = {3}, .ending = {0}, .mode = PaddingMode::Reflection},
         {"int8[3]"},
         "!reflection by 3 and 0 on axis 0 needs more than its 3 elements"},
        {Pad{.beginning = {1}, .ending = {1, 1}},
         {"int8[2,3]"},
         "!1 beginning and 2 ending paddings given for an input of rank 2"},
        {Pad{.beginning = {4294967295}, .ending = {4294967295}},
         {"int8[3]"},
         "!padding 4294967295 and 4294967295 on axis 0 is too large"},
    }));
}

TEST(Infer, slice) {
    check(std::to_array<Row>({
        {Slice{.starts = {0, 1}, .sizes = {2, 2}, .strides = {}}, {"int8[2,3]"}, "int8[2,2]"},
        {Slice{.starts = {0, 1}, .sizes = {5, 3}, .strides = {2, 3}}, {"int8[5,4]"}, "int8[3,1]"},
        {Slice{.starts = {}, .sizes = {}, .strides = {}}, {"int8[]"}, "int8[]"},
        {Slice{.starts = {3}, .sizes = {1}, .strides = {}},
         {"int8[3]"},
         "!start 3 and size 1 leave the 3 elements of axis 0"},
        {Slice{.starts = {1}, .sizes = {3}, .strides = {}},
         {"int8[3]"},
         "!start 1 and size 3 leave the 3 elements of axis 0"},
        {Slice{.starts = {1}, .sizes = {4294967295}, .strides = {}},
         {"int8[3]"},
         "!start 1 and size 4294967295 leave the 3 elements of axis 0"},
        {Slice{.starts = {0}, .sizes = {0}, .strides = {}},
         {"int8[3]"},
         "!size 0 and stride 1 of axis 0 must be at least 1"},
        {Slice{.starts = {0}, .sizes = {1}, .strides = {0}},
         {"int8[3]"},
         "!size 1 and stride 0 of axis 0 must be at least 1"},
        {Slice{.starts = {0}, .sizes = {1, 1}, .strides = {}},
         {"int8[3,3]"},
         "!1 starts, 2 sizes and 0 strides given for an input of rank 2"},
        {Slice{.starts = {0}, .sizes = {1}, .strides = {1, 1}},
         {"int8[3]"},
         "!1 starts, 1 sizes and 2 strides given for an input of rank 1"},
    }));
}

TEST(Infer, split) {
    check(std::to_array<Row>({
        {Split{.sizes = {1, 2}, .axis = 1}, {"int8[2,3]"}, "int8[2,1] int8[2,2]"},
        {Split{.sizes = {2}}, {"int8[2,3]"}, "int8[2,3]"},
        {Split{.sizes = {}}, {"int8[2]"}, "!no sizes given where at least 1 is needed"},
        {Split{.sizes = {1, 1}}, {"int8[3]"}, "!sizes sum to 2 but axis 0 has 3 elements"},
        {Split{.sizes = {3, 0}}, {"int8[3]"}, "!output: dimension 0 of [0] is 0"},
        // A sum of 2^32 + 3 must not wrap to 3.
        {Split{.sizes = {2147483647, 2147483647, 5}},
         {"int8[3]"},
         "!sizes sum to 4294967299 but axis 0 has 3 elements"},
        {Split{.sizes = {2}, .axis = 1},
         {"int8[2]"},
         "!axis 1 is out of range for int8[2] of rank 1"},
        {Split{.sizes = {1}}, {"int8[]"}, "!input int8[] has rank 0, not 1 or more"},
    }));
}

TEST(Infer, transpose) {
    check(std::to_array<Row>({
        {Transpose{.permutation = {2, 0, 1}}, {"int8[2,3,4]"}, "int8[4,2,3]"},
        {Transpose{.permutation = {}}, {"int8[]"}, "int8[]"},
        {Transpose{.permutation = {0, 0}}, {"int8[2,3]"}, "!axis 0 is given twice"},
        {Transpose{.permutation = {0, 2}},
         {"int8[2,3]"},
         "!axis 2 is out of range for int8[2,3] of rank 2"},
        {Transpose{.permutation = {0}}, {"int8[2,3]"}, "!permutation of 1 axes given for rank 2"},
    }));
}

} // namespace
} // namespace sluice::ops
