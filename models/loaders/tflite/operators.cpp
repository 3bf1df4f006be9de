// SPDX-License-Identifier: Apache-2.0
// The table of operators, in the order of their names. To add one, write its mapping and a row.
#include "models/loaders/tflite/operators.h"

#include <algorithm>
#include <string_view>

#include "core/ops/binary.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {
namespace {

using enum schema::BuiltinOperator;
using ops::BinaryKind;
using ops::ReduceKind;
using ops::UnaryKind;

struct BuiltinRow {
    schema::BuiltinOperator op;
    Mapping mapping;
};

constexpr BuiltinRow kBuiltins[] = {
    {ABS, unary<UnaryKind::Abs>},
    {ADD, binary<BinaryKind::Add>},
    {ADD_N, map_add_n},
    {ARG_MAX, map_arg_max},
    {ARG_MIN, map_arg_min},
    {ATAN2, map_atan2},
    {AVERAGE_POOL_2D, map_average_pool_2d},
    {BATCH_MATMUL, map_batch_matmul},
    {BROADCAST_TO, map_broadcast_to},
    {CAST, map_cast},
    {CEIL, unary<UnaryKind::Ceil>},
    {CONCATENATION, map_concatenation},
    {CONV_2D, map_conv_2d},
    {COS, unary<UnaryKind::Cos>},
    {DENSIFY, map_densify},
    {DEPTHWISE_CONV_2D, map_depthwise_conv_2d},
    {DEPTH_TO_SPACE, map_depth_to_space},
    {DEQUANTIZE, map_dequantize},
    {DIV, binary<BinaryKind::Div>},
    {ELU, map_elu},
    {EQUAL, binary<BinaryKind::Equal>},
    {EXP, unary<UnaryKind::Exp>},
    {EXPAND_DIMS, map_expand_dims},
    {FLOOR, unary<UnaryKind::Floor>},
    {FLOOR_DIV, map_floor_div},
    {FLOOR_MOD, map_floor_mod},
    {FULLY_CONNECTED, map_fully_connected},
    {GELU, map_gelu},
    {GREATER, binary<BinaryKind::Greater>},
    {GREATER_EQUAL, binary<BinaryKind::GreaterOrEqual>},
    {HARD_SWISH, unary<UnaryKind::HardSwish>},
    {L2_NORMALIZATION, map_l2_normalization},
    {L2_POOL_2D, map_l2_pool_2d},
    {LEAKY_RELU, map_leaky_relu},
    {LESS, binary<BinaryKind::Lesser>},
    {LESS_EQUAL, binary<BinaryKind::LesserOrEqual>},
    {LOG, unary<UnaryKind::Log>},
    {LOGICAL_AND, binary<BinaryKind::LogicalAnd>},
    {LOGICAL_NOT, unary<UnaryKind::LogicalNot>},
    {LOGICAL_OR, binary<BinaryKind::LogicalOr>},
    {LOGISTIC, unary<UnaryKind::Sigmoid>},
    {LOG_SOFTMAX, map_log_softmax},
    {MAXIMUM, binary<BinaryKind::Max>},
    {MAX_POOL_2D, map_max_pool_2d},
    {MEAN, reduce<ReduceKind::Mean>},
    {MINIMUM, binary<BinaryKind::Min>},
    {MIRROR_PAD, map_mirror_pad},
    {MUL, binary<BinaryKind::Mul>},
    {NEG, unary<UnaryKind::Neg>},
    {NOT_EQUAL, binary<BinaryKind::NotEqual>},
    {PACK, map_pack},
    {PAD, map_pad},
    {PADV2, map_pad_v2},
    {POW, binary<BinaryKind::Pow>},
    {PRELU, binary<BinaryKind::Prelu>},
    {QUANTIZE, map_quantize},
    {REDUCE_MAX, reduce<ReduceKind::Max>},
    {REDUCE_MIN, reduce<ReduceKind::Min>},
    {REDUCE_PROD, reduce<ReduceKind::Product>},
    {RELU, unary<UnaryKind::Relu>},
    {RELU6, map_relu6},
    {RELU_0_TO_1, map_relu_0_to_1},
    {RELU_N1_TO_1, map_relu_n1_to_1},
    {RESHAPE, map_reshape},
    {RESIZE_BILINEAR, map_resize_bilinear},
    {RESIZE_NEAREST_NEIGHBOR, map_resize_nearest_neighbor},
    {ROUND, unary<UnaryKind::RoundEven>},
    {RSQRT, map_rsqrt},
    {SELECT, map_select},
    {SELECT_V2, map_select_v2},
    {SIGN, unary<UnaryKind::Sign>},
    {SIN, unary<UnaryKind::Sin>},
    {SLICE, map_slice},
    {SOFTMAX, map_softmax},
    {SPACE_TO_DEPTH, map_space_to_depth},
    {SPLIT, map_split},
    {SPLIT_V, map_split_v},
    {SQRT, unary<UnaryKind::Sqrt>},
    {SQUARE, map_square},
    {SQUARED_DIFFERENCE, map_squared_difference},
    {SQUEEZE, map_squeeze},
    {STRIDED_SLICE, map_strided_slice},
    {SUB, binary<BinaryKind::Sub>},
    {SUM, reduce<ReduceKind::Sum>},
    {TANH, unary<UnaryKind::Tanh>},
    {TILE, map_tile},
    {TOPK_V2, map_top_k},
    {TRANSPOSE, map_transpose},
    {TRANSPOSE_CONV, map_transpose_conv},
    {UNPACK, map_unpack},
};

struct CustomRow {
    std::string_view name;
    Mapping mapping;
};

constexpr CustomRow kCustoms[] = {
    {"Convolution2DTransposeBias", map_convolution_2d_transpose_bias},
    {"Landmarks2TransformMatrix", map_landmarks_to_transform_matrix},
    {"TransformLandmarks", map_transform_landmarks},
    {"TransformTensorBilinear", map_transform_tensor_bilinear},
};

} // namespace

Mapping find_mapping(const schema::OperatorCode& code) {
    const auto builtin = builtin_operator(code);
    if (builtin != CUSTOM) {
        const auto* row = std::ranges::find(kBuiltins, builtin, &BuiltinRow::op);
        return row == std::end(kBuiltins) ? nullptr : row->mapping;
    }
    if (code.custom_code() == nullptr) {
        return nullptr;
    }
    const auto* row =
        std::ranges::find(kCustoms, code.custom_code()->string_view(), &CustomRow::name);
    return row == std::end(kCustoms) ? nullptr : row->mapping;
}

} // namespace sluice::models::tflite
