// SPDX-License-Identifier: Apache-2.0
// The table of operators, in the order of their names. To add one, write its mapping and a row.
#include "models/loaders/tfjs/operators.h"

#include <algorithm>
#include <string_view>

#include "core/ops/binary.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"

namespace sluice::models::tfjs {
namespace {

using ops::BinaryKind;
using ops::ReduceKind;
using ops::UnaryKind;

struct OperatorRow {
    std::string_view op;
    Mapping mapping;
};

constexpr OperatorRow kRows[] = {
    {"Abs", unary<UnaryKind::Abs>},
    {"Add", binary<BinaryKind::Add>},
    {"AddN", map_add_n},
    {"AddV2", binary<BinaryKind::Add>},
    {"ArgMax", map_arg_max},
    {"ArgMin", map_arg_min},
    {"Atan2", map_atan2},
    {"AvgPool", map_avg_pool},
    {"BatchMatMul", map_batch_mat_mul},
    {"BatchMatMulV2", map_batch_mat_mul},
    {"BatchToSpaceND", map_batch_to_space},
    {"BiasAdd", binary<BinaryKind::Add>},
    {"BroadcastTo", map_broadcast_to},
    {"Cast", map_cast},
    {"Ceil", unary<UnaryKind::Ceil>},
    {"CheckNumerics", map_identity},
    {"ConcatV2", map_concat},
    {"Conv2D", map_conv_2d},
    {"Conv2DBackpropInput", map_conv_2d_backprop_input},
    {"Cos", unary<UnaryKind::Cos>},
    {"DepthToSpace", map_depth_to_space},
    {"DepthwiseConv2dNative", map_depthwise_conv_2d},
    {"Elu", map_elu},
    {"Equal", binary<BinaryKind::Equal>},
    {"Erf", unary<UnaryKind::Erf>},
    {"Exp", unary<UnaryKind::Exp>},
    {"ExpandDims", map_expand_dims},
    {"Fill", map_fill},
    {"Floor", unary<UnaryKind::Floor>},
    {"FloorDiv", map_floor_div},
    {"FloorMod", map_floor_mod},
    {"FusedBatchNorm", map_batch_norm},
    {"FusedBatchNormV2", map_batch_norm},
    {"FusedBatchNormV3", map_batch_norm},
    {"FusedDepthwiseConv2dNative", map_depthwise_conv_2d},
    {"GatherNd", map_gather_nd},
    {"GatherV2", map_gather},
    {"Greater", binary<BinaryKind::Greater>},
    {"GreaterEqual", binary<BinaryKind::GreaterOrEqual>},
    {"Identity", map_identity},
    {"LeakyRelu", map_leaky_relu},
    {"Less", binary<BinaryKind::Lesser>},
    {"LessEqual", binary<BinaryKind::LesserOrEqual>},
    {"Log", unary<UnaryKind::Log>},
    {"LogSoftmax", map_log_softmax},
    {"LogicalAnd", binary<BinaryKind::LogicalAnd>},
    {"LogicalNot", unary<UnaryKind::LogicalNot>},
    {"LogicalOr", binary<BinaryKind::LogicalOr>},
    {"MatMul", map_mat_mul},
    {"Max", reduce<ReduceKind::Max>},
    {"MaxPool", map_max_pool},
    {"Maximum", binary<BinaryKind::Max>},
    {"Mean", reduce<ReduceKind::Mean>},
    {"Min", reduce<ReduceKind::Min>},
    {"Minimum", binary<BinaryKind::Min>},
    {"MirrorPad", map_mirror_pad},
    {"Mul", binary<BinaryKind::Mul>},
    {"Neg", unary<UnaryKind::Neg>},
    {"NotEqual", binary<BinaryKind::NotEqual>},
    {"OnesLike", map_ones_like},
    {"Pack", map_pack},
    {"Pad", map_pad},
    {"PadV2", map_pad},
    {"Pow", binary<BinaryKind::Pow>},
    {"Prelu", binary<BinaryKind::Prelu>},
    {"Prod", reduce<ReduceKind::Product>},
    {"RealDiv", binary<BinaryKind::Div>},
    {"Reciprocal", unary<UnaryKind::Reciprocal>},
    {"Relu", unary<UnaryKind::Relu>},
    {"Relu6", map_relu6},
    {"Reshape", map_reshape},
    {"ResizeBilinear", map_resize_bilinear},
    {"ResizeNearestNeighbor", map_resize_nearest_neighbor},
    {"Round", unary<UnaryKind::RoundEven>},
    {"Rsqrt", map_rsqrt},
    {"Select", map_select},
    {"SelectV2", map_select_v2},
    {"Sigmoid", unary<UnaryKind::Sigmoid>},
    {"Sign", unary<UnaryKind::Sign>},
    {"Sin", unary<UnaryKind::Sin>},
    {"Slice", map_slice},
    {"Softmax", map_softmax},
    {"Softplus", unary<UnaryKind::Softplus>},
    {"Softsign", unary<UnaryKind::Softsign>},
    {"SpaceToBatchND", map_space_to_batch},
    {"SpaceToDepth", map_space_to_depth},
    {"SparseToDense", map_sparse_to_dense},
    {"Split", map_split},
    {"SplitV", map_split_v},
    {"Sqrt", unary<UnaryKind::Sqrt>},
    {"Square", map_square},
    {"SquaredDifference", map_squared_difference},
    {"Squeeze", map_squeeze},
    {"StopGradient", map_identity},
    {"StridedSlice", map_strided_slice},
    {"Sub", binary<BinaryKind::Sub>},
    {"Sum", reduce<ReduceKind::Sum>},
    {"Tan", unary<UnaryKind::Tan>},
    {"Tanh", unary<UnaryKind::Tanh>},
    {"Tile", map_tile},
    {"TopK", map_top_k},
    {"TopKV2", map_top_k},
    {"Transpose", map_transpose},
    {"Unpack", map_unpack},
    {"ZerosLike", map_zeros_like},
    {"_FusedConv2D", map_conv_2d},
    {"_FusedMatMul", map_mat_mul},
};

} // namespace

Mapping find_mapping(std::string_view op) {
    const auto* row = std::ranges::find(kRows, op, &OperatorRow::op);
    return row == std::end(kRows) ? nullptr : row->mapping;
}

} // namespace sluice::models::tfjs
