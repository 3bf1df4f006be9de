// SPDX-License-Identifier: Apache-2.0
// The table of ONNX operators.
#include "models/loaders/onnx/operators.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/ops/binary.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/onnx/evaluate.h"
#include "models/loaders/onnx/mappings.h"

namespace sluice::models::onnx {
namespace {

using ops::BinaryKind;
using ops::ReduceKind;
using ops::UnaryKind;

constexpr std::string_view kBranches =
    "graphs have no branches or loops; unroll it in the exporter";
constexpr std::string_view kDynamic = "the size of its result depends on values";
constexpr std::string_view kBits = "WebNN has no operators on bits";
constexpr std::string_view kSequence = "WebNN has no sequences or optional values";
constexpr std::string_view kRandom = "WebNN has no random numbers";
constexpr std::string_view kText = "WebNN has no texts";

// Sorted by name.
constexpr OperatorRow kRows[] = {
    {"Abs", map_abs, function<Function::Abs>},
    {"Add", binary<BinaryKind::Add>, arithmetic<Arithmetic::Add>},
    {"And", binary<BinaryKind::LogicalAnd>, arithmetic<Arithmetic::And>},
    {"ArgMax", map_arg_max},
    {"ArgMin", map_arg_min},
    {"AveragePool", map_average_pool},
    {"BatchNormalization", map_batch_normalization},
    {"Bernoulli", nullptr, nullptr, kRandom},
    {"BitShift", nullptr, nullptr, kBits},
    {"BitwiseAnd", nullptr, nullptr, kBits},
    {"BitwiseNot", nullptr, nullptr, kBits},
    {"BitwiseOr", nullptr, nullptr, kBits},
    {"BitwiseXor", nullptr, nullptr, kBits},
    {"Cast", map_cast, evaluate_cast},
    {"CastLike", map_cast_like},
    {"Ceil", unary<UnaryKind::Ceil>, function<Function::Ceil>},
    {"Celu", map_celu},
    {"Clip", map_clip},
    {"Compress", nullptr, nullptr, kDynamic},
    {"Concat", map_concat, evaluate_concat},
    {"Constant", nullptr, evaluate_constant},
    {"ConstantOfShape", map_constant_of_shape, evaluate_constant_of_shape},
    {"Conv", map_conv},
    {"ConvInteger", map_conv_integer},
    {"ConvTranspose", map_conv_transpose},
    {"Cos", unary<UnaryKind::Cos>},
    {"CumSum", map_cum_sum},
    {"DepthToSpace", map_depth_to_space},
    {"DequantizeLinear", map_dequantize_linear},
    {"Div", binary<BinaryKind::Div>, arithmetic<Arithmetic::Div>},
    {"Dropout", map_dropout},
    {"DynamicQuantizeLinear", map_dynamic_quantize_linear},
    {"Einsum", map_einsum},
    {"Elu", map_elu},
    {"Equal", binary<BinaryKind::Equal>, arithmetic<Arithmetic::Equal>},
    {"Erf", unary<UnaryKind::Erf>},
    {"Exp", unary<UnaryKind::Exp>},
    {"Expand", map_expand, evaluate_expand},
    {"Flatten", map_flatten, evaluate_flatten},
    {"Floor", unary<UnaryKind::Floor>, function<Function::Floor>},
    {"GRU", map_gru},
    {"Gather", map_gather, evaluate_gather},
    {"GatherElements", map_gather_elements},
    {"GatherND", map_gather_nd},
    {"Gelu", map_gelu},
    {"Gemm", map_gemm},
    {"GlobalAveragePool", map_global_average_pool},
    {"GlobalLpPool", map_global_lp_pool},
    {"GlobalMaxPool", map_global_max_pool},
    {"Greater", binary<BinaryKind::Greater>, arithmetic<Arithmetic::Greater>},
    {"GreaterOrEqual", binary<BinaryKind::GreaterOrEqual>, arithmetic<Arithmetic::GreaterOrEqual>},
    {"GroupNormalization", map_group_normalization},
    {"HardSigmoid", map_hard_sigmoid},
    {"HardSwish", unary<UnaryKind::HardSwish>},
    {"Hardmax", map_hardmax},
    {"Identity", map_identity, function<Function::Identity>},
    {"InstanceNormalization", map_instance_normalization},
    {"IsInf", map_is_inf},
    {"IsNaN", unary<UnaryKind::IsNan>},
    {"LRN", map_lrn},
    {"LSTM", map_lstm},
    {"LayerNormalization", map_layer_normalization},
    {"LeakyRelu", map_leaky_relu},
    {"Less", binary<BinaryKind::Lesser>, arithmetic<Arithmetic::Less>},
    {"LessOrEqual", binary<BinaryKind::LesserOrEqual>, arithmetic<Arithmetic::LessOrEqual>},
    {"Log", unary<UnaryKind::Log>},
    {"LogSoftmax", map_log_softmax},
    {"Loop", nullptr, nullptr, kBranches},
    {"LpNormalization", map_lp_normalization},
    {"LpPool", map_lp_pool},
    {"MatMul", map_matmul},
    {"MatMulInteger", map_matmul_integer},
    {"Max", variadic<BinaryKind::Max>, arithmetic<Arithmetic::Max>},
    {"MaxPool", map_max_pool},
    {"Mean", map_mean},
    {"MeanVarianceNormalization", map_mean_variance_normalization},
    {"Min", variadic<BinaryKind::Min>, arithmetic<Arithmetic::Min>},
    {"Mish", map_mish},
    {"Mod", map_mod, arithmetic<Arithmetic::Mod>},
    {"Mul", binary<BinaryKind::Mul>, arithmetic<Arithmetic::Mul>},
    {"Multinomial", nullptr, nullptr, kRandom},
    {"Neg", unary<UnaryKind::Neg>, function<Function::Neg>},
    {"NonMaxSuppression", nullptr, nullptr, kDynamic},
    {"NonZero", nullptr, evaluate_non_zero},
    {"Not", unary<UnaryKind::LogicalNot>, function<Function::Not>},
    {"OneHot", map_one_hot},
    {"Optional", nullptr, nullptr, kSequence},
    {"OptionalGetElement", nullptr, nullptr, kSequence},
    {"OptionalHasElement", nullptr, nullptr, kSequence},
    {"Or", binary<BinaryKind::LogicalOr>, arithmetic<Arithmetic::Or>},
    {"PRelu", map_prelu},
    {"Pad", map_pad},
    {"Pow", map_pow},
    {"QLinearConv", map_qlinear_conv},
    {"QLinearMatMul", map_qlinear_matmul},
    {"QuantizeLinear", map_quantize_linear},
    {"RandomNormal", nullptr, nullptr, kRandom},
    {"RandomNormalLike", nullptr, nullptr, kRandom},
    {"RandomUniform", nullptr, nullptr, kRandom},
    {"RandomUniformLike", nullptr, nullptr, kRandom},
    {"Range", nullptr, evaluate_range},
    {"Reciprocal", unary<UnaryKind::Reciprocal>},
    {"ReduceL1", reduce<ReduceKind::L1>},
    {"ReduceL2", reduce<ReduceKind::L2>},
    {"ReduceLogSum", reduce<ReduceKind::LogSum>},
    {"ReduceLogSumExp", reduce<ReduceKind::LogSumExp>},
    {"ReduceMax", reduce<ReduceKind::Max>, fold<Fold::Max>},
    {"ReduceMean", reduce<ReduceKind::Mean>},
    {"ReduceMin", reduce<ReduceKind::Min>, fold<Fold::Min>},
    {"ReduceProd", reduce<ReduceKind::Product>, fold<Fold::Product>},
    {"ReduceSum", reduce<ReduceKind::Sum>, fold<Fold::Sum>},
    {"ReduceSumSquare", reduce<ReduceKind::SumSquare>},
    {"Relu", unary<UnaryKind::Relu>},
    {"Reshape", map_reshape, evaluate_reshape},
    {"Resize", map_resize},
    {"Round", unary<UnaryKind::RoundEven>},
    {"Scan", nullptr, nullptr, kBranches},
    {"Scatter", map_scatter_elements},
    {"ScatterElements", map_scatter_elements},
    {"ScatterND", map_scatter_nd},
    {"Selu", map_selu},
    {"SequenceAt", nullptr, nullptr, kSequence},
    {"SequenceConstruct", nullptr, nullptr, kSequence},
    {"SequenceEmpty", nullptr, nullptr, kSequence},
    {"SequenceErase", nullptr, nullptr, kSequence},
    {"SequenceInsert", nullptr, nullptr, kSequence},
    {"SequenceLength", nullptr, nullptr, kSequence},
    {"SequenceMap", nullptr, nullptr, kSequence},
    {"Shape", nullptr, evaluate_shape},
    {"Shrink", map_shrink},
    {"Sigmoid", unary<UnaryKind::Sigmoid>},
    {"Sign", unary<UnaryKind::Sign>},
    {"Sin", unary<UnaryKind::Sin>},
    {"Size", nullptr, evaluate_size},
    {"Slice", map_slice, evaluate_slice},
    {"Softmax", map_softmax},
    {"Softplus", unary<UnaryKind::Softplus>},
    {"Softsign", unary<UnaryKind::Softsign>},
    {"SpaceToDepth", map_space_to_depth},
    {"Split", map_split, evaluate_split},
    {"SplitToSequence", nullptr, nullptr, kSequence},
    {"Sqrt", unary<UnaryKind::Sqrt>, function<Function::Sqrt>},
    {"Squeeze", map_squeeze, evaluate_squeeze},
    {"StringConcat", nullptr, nullptr, kText},
    {"StringNormalizer", nullptr, nullptr, kText},
    {"StringSplit", nullptr, nullptr, kText},
    {"Sub", binary<BinaryKind::Sub>, arithmetic<Arithmetic::Sub>},
    {"Sum", variadic<BinaryKind::Add>, arithmetic<Arithmetic::Add>},
    {"Swish", map_swish},
    {"Tan", unary<UnaryKind::Tan>},
    {"Tanh", unary<UnaryKind::Tanh>},
    {"ThresholdedRelu", map_thresholded_relu},
    {"Tile", map_tile, evaluate_tile},
    {"TopK", map_top_k},
    {"Transpose", map_transpose, evaluate_transpose},
    {"Trilu", map_trilu},
    {"Unique", nullptr, nullptr, kDynamic},
    {"Unsqueeze", map_unsqueeze, evaluate_unsqueeze},
    {"Upsample", map_upsample},
    {"Where", map_where, evaluate_where},
    {"Xor", binary<BinaryKind::LogicalXor>, arithmetic<Arithmetic::Xor>},
};
static_assert(std::ranges::is_sorted(kRows, {}, &OperatorRow::name));

} // namespace

const OperatorRow* find_operator(std::string_view name) {
    const auto* row = std::ranges::lower_bound(kRows, name, {}, &OperatorRow::name);
    return row != std::end(kRows) && row->name == name ? row : nullptr;
}

} // namespace sluice::models::onnx
