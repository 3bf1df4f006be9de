// SPDX-License-Identifier: Apache-2.0
// The functions that operators.cpp's table points to: each turns one node into builder calls.
//
// InvalidArgument and Parse mean a malformed file, Unsupported an operator that is well-formed but
// cannot be expressed.
#pragma once

#include <optional>

#include "core/base/result.h"
#include "core/ops/binary.h"
#include "core/ops/pool2d.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using Mapping = Result<Outputs> (*)(Operation&);

// map_elementwise.cpp
[[nodiscard]] Result<Outputs> map_unary(Operation& op, const ops::Activation& function);
[[nodiscard]] Result<Outputs> map_binary(Operation& op, ops::BinaryKind kind);
[[nodiscard]] Result<Outputs> map_variadic(Operation& op, ops::BinaryKind kind);
template <ops::UnaryKind kKind>
[[nodiscard]] Result<Outputs> unary(Operation& op) {
    return map_unary(op, {.kind = kKind});
}
template <ops::BinaryKind kKind>
[[nodiscard]] Result<Outputs> binary(Operation& op) {
    return map_binary(op, kKind);
}
template <ops::BinaryKind kKind>
[[nodiscard]] Result<Outputs> variadic(Operation& op) {
    return map_variadic(op, kKind);
}
Result<Outputs> map_abs(Operation& op);
Result<Outputs> map_is_inf(Operation& op);
Result<Outputs> map_mean(Operation& op);
Result<Outputs> map_mod(Operation& op);
Result<Outputs> map_pow(Operation& op);
Result<Outputs> map_where(Operation& op);

// map_activation.cpp
Result<Outputs> map_celu(Operation& op);
Result<Outputs> map_clip(Operation& op);
Result<Outputs> map_elu(Operation& op);
Result<Outputs> map_gelu(Operation& op);
Result<Outputs> map_hard_sigmoid(Operation& op);
Result<Outputs> map_leaky_relu(Operation& op);
Result<Outputs> map_mish(Operation& op);
Result<Outputs> map_prelu(Operation& op);
Result<Outputs> map_selu(Operation& op);
Result<Outputs> map_shrink(Operation& op);
Result<Outputs> map_swish(Operation& op);
Result<Outputs> map_thresholded_relu(Operation& op);

// map_quantized.cpp
Result<Outputs> map_conv_integer(Operation& op);
Result<Outputs> map_dynamic_quantize_linear(Operation& op);
Result<Outputs> map_matmul_integer(Operation& op);
Result<Outputs> map_qlinear_conv(Operation& op);
Result<Outputs> map_qlinear_matmul(Operation& op);

// map_types.cpp
Result<Outputs> map_cast(Operation& op);
Result<Outputs> map_cast_like(Operation& op);
Result<Outputs> map_dequantize_linear(Operation& op);
Result<Outputs> map_quantize_linear(Operation& op);

// map_convolution.cpp
// The node's convolution of other operands than its first inputs.
[[nodiscard]] Result<graph::OperandId> convolve(Operation& op, graph::OperandId x,
                                                graph::OperandId filter,
                                                std::optional<graph::OperandId> bias);
Result<Outputs> map_conv(Operation& op);
Result<Outputs> map_conv_transpose(Operation& op);

// map_matrix.cpp
Result<Outputs> map_gemm(Operation& op);
Result<Outputs> map_matmul(Operation& op);
[[nodiscard]] Result<graph::OperandId> multiply(Operation& op, graph::OperandId a,
                                                graph::OperandId b);
// map_einsum.cpp
Result<Outputs> map_einsum(Operation& op);

// map_pool.cpp
Result<Outputs> map_average_pool(Operation& op);
Result<Outputs> map_lp_pool(Operation& op);
Result<Outputs> map_max_pool(Operation& op);
Result<Outputs> map_global_average_pool(Operation& op);
Result<Outputs> map_global_lp_pool(Operation& op);
Result<Outputs> map_global_max_pool(Operation& op);

// map_reduce.cpp
[[nodiscard]] Result<Outputs> map_reduce(Operation& op, ops::ReduceKind kind);
template <ops::ReduceKind kKind>
[[nodiscard]] Result<Outputs> reduce(Operation& op) {
    return map_reduce(op, kKind);
}
Result<Outputs> map_arg_max(Operation& op);
Result<Outputs> map_top_k(Operation& op);
Result<Outputs> map_arg_min(Operation& op);
Result<Outputs> map_cum_sum(Operation& op);
Result<Outputs> map_hardmax(Operation& op);
Result<Outputs> map_log_softmax(Operation& op);
Result<Outputs> map_softmax(Operation& op);

// map_normalization.cpp
Result<Outputs> map_batch_normalization(Operation& op);
Result<Outputs> map_group_normalization(Operation& op);
Result<Outputs> map_instance_normalization(Operation& op);
Result<Outputs> map_layer_normalization(Operation& op);
Result<Outputs> map_lp_normalization(Operation& op);
Result<Outputs> map_lrn(Operation& op);
Result<Outputs> map_mean_variance_normalization(Operation& op);

// map_resize.cpp
Result<Outputs> map_resize(Operation& op);
Result<Outputs> map_upsample(Operation& op);

// map_pad.cpp
Result<Outputs> map_pad(Operation& op);

// map_shape.cpp
Result<Outputs> map_constant_of_shape(Operation& op);
Result<Outputs> map_depth_to_space(Operation& op);
Result<Outputs> map_dropout(Operation& op);
Result<Outputs> map_expand(Operation& op);
Result<Outputs> map_flatten(Operation& op);
Result<Outputs> map_identity(Operation& op);
Result<Outputs> map_reshape(Operation& op);
Result<Outputs> map_space_to_depth(Operation& op);
Result<Outputs> map_squeeze(Operation& op);
Result<Outputs> map_tile(Operation& op);
Result<Outputs> map_transpose(Operation& op);
Result<Outputs> map_trilu(Operation& op);
Result<Outputs> map_unsqueeze(Operation& op);

// map_pieces.cpp
Result<Outputs> map_concat(Operation& op);
Result<Outputs> map_slice(Operation& op);
Result<Outputs> map_split(Operation& op);

// map_gather.cpp
Result<Outputs> map_gather(Operation& op);
Result<Outputs> map_gather_elements(Operation& op);
Result<Outputs> map_gather_nd(Operation& op);
Result<Outputs> map_one_hot(Operation& op);
Result<Outputs> map_scatter_elements(Operation& op);
Result<Outputs> map_scatter_nd(Operation& op);

// map_recurrent.cpp
Result<Outputs> map_gru(Operation& op);
Result<Outputs> map_lstm(Operation& op);

} // namespace sluice::models::onnx
