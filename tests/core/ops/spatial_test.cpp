// SPDX-License-Identifier: Apache-2.0
// Inference of conv2d, conv_transpose2d, pool2d and resample2d.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

constexpr Activation kRelu{.kind = UnaryKind::Relu};

TEST(Infer, conv2d) {
    constexpr auto kNhwc = InputLayout::Nhwc;
    check(std::to_array<Row>({
        {Conv2d{}, {"float32[1,1,5,5]", "float32[1,1,3,3]"}, "float32[1,1,3,3]"},
        {Conv2d{.padding = {1, 2, 0, 1}, .strides = {2, 2}},
         {"float32[1,1,5,5]", "float32[1,1,4,2]"},
         "float32[1,1,3,3]"},
        {Conv2d{.groups = 4}, {"float16[1,4,2,2]", "float16[4,1,2,2]"}, "float16[1,4,1,1]"},
        {Conv2d{
             .dilations = {4, 4}, .input_layout = kNhwc, .filter_layout = Conv2dFilterLayout::Ihwo},
         {"float32[1,65,65,1]", "float32[1,3,3,1]"},
         "float32[1,57,57,1]"},
        {Conv2d{.input_layout = kNhwc, .filter_layout = Conv2dFilterLayout::Hwio},
         {"float32[2,6,7,3]", "float32[2,3,3,8]"},
         "float32[2,5,5,8]"},
        {Conv2d{.input_layout = kNhwc, .filter_layout = Conv2dFilterLayout::Ohwi, .has_bias = true},
         {"float32[2,6,7,3]", "float32[8,2,3,3]", "float32[8]"},
         "float32[2,5,5,8]"},
        {Conv2d{},
         {"float32[1,5,5]", "float32[1,1,3,3]"},
         "!input float32[1,5,5] has rank 3, not 4"},
        {Conv2d{}, {"float32[1,1,5,5]", "float32[3,3]"}, "!filter float32[3,3] has rank 2, not 4"},
        {Conv2d{},
         {"int8[1,1,5,5]", "int8[1,1,3,3]"},
         "!input has type int8, only float32 and float16 are allowed"},
        {Conv2d{},
         {"float32[1,1,5,5]", "float16[1,1,3,3]"},
         "!filter has type float16 but input has type float32"},
        {Conv2d{.groups = 0},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!groups 0 must be at least 1"},
        {Conv2d{.groups = 3},
         {"float32[1,16,5,5]", "float32[3,5,3,3]"},
         "!groups 3 does not divide 16 input channels"},
        {Conv2d{.groups = 2},
         {"float32[1,16,5,5]", "float32[4,16,3,3]"},
         "!filter has 16 input channels where 16 channels in 2 groups need 8"},
        {Conv2d{.groups = 2},
         {"float32[1,16,5,5]", "float32[3,8,3,3]"},
         "!groups 2 does not divide 3 output channels"},
        {Conv2d{.strides = {1, 0}},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!strides [1,0] must be at least 1"},
        {Conv2d{.dilations = {0, 1}},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!dilations [0,1] must be at least 1"},
        {Conv2d{},
         {"float32[1,1,5,5]", "float32[1,1,3,6]"},
         "!width of the window is 6, more than the padded 5"},
        {Conv2d{.padding = {4294967295, 4294967295, 0, 0}},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!height of the output, 8589934592, is too large"},
        {Conv2d{.dilations = {4294967295, 1}},
         {"float32[1,1,5,5]", "float32[1,1,3,2]"},
         "!height of the window is 8589934591, more than the padded 5"},
        {Conv2d{.has_bias = true},
         {"float32[1,1,5,5]", "float32[4,1,3,3]", "float32[1,4]"},
         "!bias float32[1,4] has rank 2, not 1"},
        {Conv2d{.has_bias = true},
         {"float32[1,1,5,5]", "float32[4,1,3,3]", "float16[4]"},
         "!bias has type float16 but input has type float32"},
        {Conv2d{.has_bias = true},
         {"float32[1,1,5,5]", "float32[4,1,3,3]"},
         "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, conv2d_epilogue) {
    constexpr auto kNhwc = InputLayout::Nhwc;
    const Conv2d op{.input_layout = kNhwc,
                    .filter_layout = Conv2dFilterLayout::Ohwi,
                    .has_residual = true,
                    .activation = kRelu};
    check(std::to_array<Row>({
        {op, {"float32[1,4,4,3]", "float32[8,1,1,3]", "float32[1,4,4,8]"}, "float32[1,4,4,8]"},
        {op, {"float32[1,4,4,3]", "float32[8,1,1,3]", "float32[1,4,4,5]"}, "float32[1,4,4,8]"},
        {Conv2d{.has_residual = true},
         {"float32[1,3,4,4]", "float32[8,3,1,1]", "float32[1,5,4,4]"},
         "float32[1,8,4,4]"},
        {op,
         {"float32[1,4,4,3]", "float32[8,1,1,3]", "float32[1,4,4,9]"},
         "!residual [1,4,4,9] does not fit the output [1,4,4,8] on axis 3"},
        {op,
         {"float32[1,4,4,3]", "float32[8,1,1,3]", "float32[1,4,1,8]"},
         "!residual [1,4,1,8] does not fit the output [1,4,4,8] on axis 2"},
        {op,
         {"float32[1,4,4,3]", "float32[8,1,1,3]", "float32[4,4,8]"},
         "!residual float32[4,4,8] has rank 3, not 4"},
        {op,
         {"float32[1,4,4,3]", "float32[8,1,1,3]", "float16[1,4,4,8]"},
         "!residual has type float16 but output has type float32"},
        {op, {"float32[1,4,4,3]", "float32[8,1,1,3]"}, "!2 operands given where 3 are needed"},
        {Conv2d{.activation = {.kind = UnaryKind::LogicalNot}},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!epilogue logical_not: input has type float32, only uint8 is allowed"},
        {Conv2d{.activation = {.kind = UnaryKind::Clamp, .alpha = 1, .beta = 0}},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!epilogue clamp: minimum 1 is not below or at the maximum 0"},
    }));
}

TEST(Infer, conv_transpose2d) {
    constexpr auto kNhwc = InputLayout::Nhwc;
    using Layout = ConvTranspose2dFilterLayout;
    check(std::to_array<Row>({
        {ConvTranspose2d{}, {"float32[1,1,3,3]", "float32[1,1,3,3]"}, "float32[1,1,5,5]"},
        {ConvTranspose2d{.strides = {3, 2}, .output_sizes = {10, 8}},
         {"float32[1,1,3,3]", "float32[1,2,3,3]"},
         "float32[1,2,10,8]"},
        {ConvTranspose2d{.strides = {3, 2}, .output_padding = {1, 1}},
         {"float32[1,1,3,3]", "float32[1,2,3,3]"},
         "float32[1,2,10,8]"},
        {ConvTranspose2d{.padding = {1, 1, 1, 1}, .strides = {2, 2}},
         {"float32[1,1,3,3]", "float32[1,1,3,3]"},
         "float32[1,1,5,5]"},
        {ConvTranspose2d{.input_layout = kNhwc, .filter_layout = Layout::Ohwi, .has_bias = true},
         {"float32[1,3,3,1]", "float32[2,3,3,1]", "float32[2]"},
         "float32[1,5,5,2]"},
        {ConvTranspose2d{.groups = 2, .input_layout = kNhwc, .filter_layout = Layout::Hwoi},
         {"float32[1,3,3,4]", "float32[3,3,2,4]"},
         "float32[1,5,5,4]"},
        {ConvTranspose2d{},
         {"float32[1,3,3,3]", "float32[1,1,3,3]"},
         "!filter has 1 input channels where the input has 3"},
        {ConvTranspose2d{.groups = 3},
         {"float32[1,4,5,5]", "float32[4,1,3,3]"},
         "!groups 3 does not divide 4 input channels"},
        {ConvTranspose2d{.groups = 0},
         {"float32[1,1,5,5]", "float32[1,1,3,3]"},
         "!groups 0 must be at least 1"},
        {ConvTranspose2d{.strides = {2, 2}, .output_padding = {0, 2}},
         {"float32[1,1,3,3]", "float32[1,1,3,3]"},
         "!output padding 2 of width is not below stride 2"},
        {ConvTranspose2d{.padding = {4, 4, 0, 0}, .strides = {2, 2}},
         {"float32[1,1,2,2]", "float32[1,1,3,3]"},
         "!padding 8 of height leaves nothing of 5"},
        {ConvTranspose2d{.padding = {1, 1, 1, 1}, .strides = {2, 2}, .output_sizes = {4, 4}},
         {"float32[1,1,3,3]", "float32[1,1,3,3]"},
         "!output size 4 of height is not in the range 5 to 6"},
        {ConvTranspose2d{.padding = {1, 1, 1, 1}, .strides = {2, 2}, .output_sizes = {6, 8}},
         {"float32[1,1,3,3]", "float32[1,1,3,3]"},
         "!output size 8 of width is not in the range 5 to 6"},
        {ConvTranspose2d{.output_sizes = {0, 7}},
         {"float32[1,1,3,3]", "float32[1,1,3,3]"},
         "!output sizes [0,7] must both be at least 1"},
        {ConvTranspose2d{.has_bias = true},
         {"float32[1,1,5,5]", "float32[1,1,2,2]", "float32[2]"},
         "!bias has shape [2], not [1]"},
        {ConvTranspose2d{.strides = {4294967295, 1}},
         {"float32[1,1,5,5]", "float32[1,1,2,2]"},
         "!height of the output, 17179869182, is too large"},
    }));
}

TEST(Infer, pool2d) {
    constexpr auto kNhwc = InputLayout::Nhwc;
    constexpr auto kMax = PoolKind::Max;
    constexpr Pool2d kEven{.window = {4, 4}, .padding = {1, 1, 1, 1}, .strides = {2, 2}};
    Pool2d ceil = kEven;
    ceil.rounding = OutputRounding::Ceil;
    Pool2d four = kEven;
    four.output_sizes = {4, 4};
    Pool2d mixed = kEven;
    mixed.output_sizes = {3, 4};
    check(std::to_array<Row>({
        {Pool2d{}, {"float32[1,3,4,6]"}, "float32[1,3,1,1]"},
        {Pool2d{.layout = kNhwc}, {"float32[1,4,6,3]"}, "float32[1,1,1,3]"},
        {Pool2d{.kind = kMax, .window = {3, 3}}, {"uint8[1,3,4,4]"}, "uint8[1,3,2,2]"},
        {kEven, {"float32[1,3,7,7]"}, "float32[1,3,3,3]"},
        {ceil, {"float32[1,3,7,7]"}, "float32[1,3,4,4]"},
        {four, {"float32[1,3,7,7]"}, "float32[1,3,4,4]"},
        {Pool2d{.window = {2, 2}, .dilations = {3, 1}}, {"float16[1,1,5,5]"}, "float16[1,1,2,4]"},
        {mixed, {"float32[1,3,7,7]"}, "!output sizes [3,4] are neither [3,3] nor [4,4]"},
        {Pool2d{.window = {2, 2}, .output_sizes = {0, 4}},
         {"float32[1,2,5,5]"},
         "!output sizes [0,4] must both be at least 1"},
        {Pool2d{.window = {0, 2}},
         {"float32[1,2,5,5]"},
         "!window [0,2] must be at least 1 on both axes"},
        {Pool2d{.window = {8, 2}},
         {"float32[1,2,5,5]"},
         "!height of the window is 8, more than the padded 5"},
        {Pool2d{.kind = PoolKind::L2},
         {"int8[1,2,5,5]"},
         "!input has type int8, only float32 and float16 are allowed"},
        {Pool2d{}, {"float32[2,5,5]"}, "!input float32[2,5,5] has rank 3, not 4"},
        {Pool2d{.strides = {0, 2}}, {"float32[1,2,5,5]"}, "!strides [0,2] must be at least 1"},
        {Pool2d{.dilations = {1, 0}}, {"float32[1,2,5,5]"}, "!dilations [1,0] must be at least 1"},
    }));
}

TEST(Infer, resample2d) {
    check(std::to_array<Row>({
        {Resample2d{}, {"float32[1,1,2,4]"}, "float32[1,1,2,4]"},
        {Resample2d{.scales = {0.5F, 0.5F}}, {"float32[1,1,5,5]"}, "float32[1,1,2,2]"},
        {Resample2d{.axes = {1, 2}, .sizes = {9, 7}}, {"float16[1,4,4,3]"}, "float16[1,9,7,3]"},
        {Resample2d{.sizes = {3, 6}, .scales = {2, 2}}, {"float32[1,1,2,4]"}, "float32[1,1,3,6]"},
        {Resample2d{.sizes = {0, 1}}, {"float32[1,1,2,4]"}, "!sizes [0,1] must be at least 1"},
        {Resample2d{.scales = {1, -2}}, {"float32[1,1,2,4]"}, "!scale -2 of axis 3 is not above 0"},
        {Resample2d{.scales = {0.25F, 1}},
         {"float32[1,1,2,4]"},
         "!scale 0.25 makes dimension 2 of axis 2 into 0"},
        {Resample2d{.axes = {3, 4}},
         {"float32[1,1,2,4]"},
         "!axis 4 is out of range for float32[1,1,2,4] of rank 4"},
        {Resample2d{.axes = {2, 2}}, {"float32[1,1,2,4]"}, "!axis 2 is given twice"},
        {Resample2d{}, {"float32[2,4]"}, "!input float32[2,4] has rank 2, not 4"},
        {Resample2d{},
         {"int32[1,1,2,4]"},
         "!input has type int32, only float32 and float16 are allowed"},
    }));
}

} // namespace
} // namespace sluice::ops
