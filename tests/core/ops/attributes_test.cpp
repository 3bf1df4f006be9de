// SPDX-License-Identifier: Apache-2.0
// The lists of operators and functions and what is generated from them.
#include <set>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "core/ops/attributes.h"

namespace sluice::ops {
namespace {

static_assert(std::variant_size_v<Attributes> == kOpCount + 1);

TEST(Attributes, kinds_and_alternatives_have_one_order) {
#define SLUICE_OP(file, Type, cpu, vulkan)                                                         \
    EXPECT_EQ(kind_of(Type{}), OpKind::Type);                                                      \
    EXPECT_EQ(Type::kName, #file);
#include "core/ops/ops.def"
#undef SLUICE_OP
}

TEST(Attributes, families_are_named_by_their_member) {
    EXPECT_EQ(name_of(Unary{.function = {.kind = UnaryKind::HardSwish}}), "hard_swish");
    EXPECT_EQ(name_of(Binary{.kind = BinaryKind::LesserOrEqual, .activation = {}}),
              "lesser_or_equal");
    EXPECT_EQ(name_of(Reduce{.kind = ReduceKind::LogSumExp, .axes = {}}), "reduce_log_sum_exp");
    EXPECT_EQ(name_of(Pool2d{.kind = PoolKind::L2}), "l2_pool2d");
    EXPECT_EQ(name_of(ArgMinMax{.is_max = true}), "arg_max");
    EXPECT_EQ(name_of(ArgMinMax{.is_max = false}), "arg_min");
    EXPECT_EQ(name_of(ConvTranspose2d{}), "conv_transpose2d");
    EXPECT_EQ(name_of(Where{}), "where");
}

TEST(Attributes, no_two_functions_share_a_name) {
    std::set<std::string_view> names;
#define SLUICE_UNARY(name_, Type, domain, expression, low, high)                                   \
    EXPECT_TRUE(names.insert(name(UnaryKind::Type)).second) << #name_;                             \
    EXPECT_EQ(name(UnaryKind::Type), #name_);
#define SLUICE_BINARY(name_, Type, domain, expression, low, high)                                  \
    EXPECT_TRUE(names.insert(name(BinaryKind::Type)).second) << #name_;                            \
    EXPECT_EQ(name(BinaryKind::Type), #name_);
#include "core/ops/binary.def"
#include "core/ops/unary.def"
#undef SLUICE_UNARY
#undef SLUICE_BINARY
}

TEST(Attributes, describe_leaves_defaults_out) {
    EXPECT_EQ(describe(Attributes(Conv2d{})), "");
    EXPECT_EQ(describe(Attributes(Matmul{})), "");
    EXPECT_EQ(describe(Attributes(Where{})), "");
    EXPECT_EQ(describe(Attributes(std::monostate{})), "");
    EXPECT_EQ(describe(Attributes(Conv2d{.padding = {0, 1, 0, 1},
                                         .strides = {2, 2},
                                         .groups = 24,
                                         .input_layout = InputLayout::Nhwc,
                                         .filter_layout = Conv2dFilterLayout::Ihwo,
                                         .has_residual = true,
                                         .activation = {.kind = UnaryKind::Clamp, .beta = 6}})),
              "padding=[0,1,0,1] strides=[2,2] groups=24 nhwc filter=ihwo residual "
              "activation=clamp(0,6)");
    EXPECT_EQ(describe(Attributes(ConvTranspose2d{.output_sizes = {4, 5}})), "output_sizes=[4,5]");
    EXPECT_EQ(describe(Attributes(Pool2d{.window = {3, 3}, .rounding = OutputRounding::Ceil})),
              "window=[3,3] ceil");
    EXPECT_EQ(describe(Attributes(Cast{.to = graph::DataType::Float16})), "to=float16");
    EXPECT_EQ(describe(Attributes(Reshape{.shape = {1, 9}})), "shape=[1,9]");
    EXPECT_EQ(describe(Attributes(Resample2d{.mode = Interpolation::Linear, .axes = {1, 2}})),
              "linear axes=[1,2]");
    EXPECT_EQ(
        describe(Attributes(Pad{.beginning = {0, 1}, .ending = {2, 0}, .mode = PaddingMode::Edge})),
        "beginning=[0,1] ending=[2,0] mode=edge");
    EXPECT_EQ(describe(Attributes(Gemm{.alpha = 0.5, .b_transpose = true})),
              "alpha=0.5 b_transpose");
    EXPECT_EQ(describe(Attributes(Unary{.function = {.kind = UnaryKind::Elu, .alpha = 0.25}})),
              "alpha=0.25");
    EXPECT_EQ(describe(Attributes(Unary{.function = {.kind = UnaryKind::Relu}})), "");
}

} // namespace
} // namespace sluice::ops
