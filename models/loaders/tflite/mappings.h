// SPDX-License-Identifier: Apache-2.0
// The functions that operators.cpp's table points to: each turns one operator into builder calls.
//
// InvalidArgument and Parse mean a malformed file, Unsupported an operator that is well-formed but
// cannot be expressed.
#pragma once

#include "core/base/result.h"
#include "core/ops/binary.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/tflite/operation.h"

namespace sluice::models::tflite {

using Mapping = Result<Outputs> (*)(Operation&);

// map_elementwise.cpp
[[nodiscard]] Result<Outputs> map_unary(Operation& op, const ops::Activation& function);
[[nodiscard]] Result<Outputs> map_binary(Operation& op, ops::BinaryKind kind);
template <ops::UnaryKind kKind>
[[nodiscard]] Result<Outputs> unary(Operation& op) {
    return map_unary(op, {.kind = kKind});
}
template <ops::BinaryKind kKind>
[[nodiscard]] Result<Outputs> binary(Operation& op) {
    return map_binary(op, kKind);
}
Result<Outputs> map_add_n(Operation& op);
Result<Outputs> map_atan2(Operation& op);
Result<Outputs> map_elu(Operation& op);
Result<Outputs> map_floor_div(Operation& op);
Result<Outputs> map_floor_mod(Operation& op);
Result<Outputs> map_gelu(Operation& op);
Result<Outputs> map_leaky_relu(Operation& op);
Result<Outputs> map_relu6(Operation& op);
Result<Outputs> map_relu_0_to_1(Operation& op);
Result<Outputs> map_relu_n1_to_1(Operation& op);
Result<Outputs> map_rsqrt(Operation& op);
Result<Outputs> map_select(Operation& op);
Result<Outputs> map_select_v2(Operation& op);
Result<Outputs> map_square(Operation& op);
Result<Outputs> map_squared_difference(Operation& op);

// map_types.cpp
Result<Outputs> map_cast(Operation& op);
Result<Outputs> map_densify(Operation& op);
Result<Outputs> map_dequantize(Operation& op);
Result<Outputs> map_quantize(Operation& op);

// map_convolution.cpp
Result<Outputs> map_conv_2d(Operation& op);
Result<Outputs> map_convolution_2d_transpose_bias(Operation& op); // custom operator
Result<Outputs> map_depthwise_conv_2d(Operation& op);
Result<Outputs> map_transpose_conv(Operation& op);

// map_landmarks.cpp: custom operators of MediaPipe
Result<Outputs> map_landmarks_to_transform_matrix(Operation& op);
Result<Outputs> map_transform_landmarks(Operation& op);
Result<Outputs> map_transform_tensor_bilinear(Operation& op);

// map_matrix.cpp
Result<Outputs> map_batch_matmul(Operation& op);
Result<Outputs> map_fully_connected(Operation& op);

// map_pool.cpp
Result<Outputs> map_average_pool_2d(Operation& op);
Result<Outputs> map_l2_pool_2d(Operation& op);
Result<Outputs> map_max_pool_2d(Operation& op);

// map_reduce.cpp
[[nodiscard]] Result<Outputs> map_reduce(Operation& op, ops::ReduceKind kind);
template <ops::ReduceKind kKind>
[[nodiscard]] Result<Outputs> reduce(Operation& op) {
    return map_reduce(op, kKind);
}
Result<Outputs> map_arg_max(Operation& op);
Result<Outputs> map_top_k(Operation& op);
Result<Outputs> map_arg_min(Operation& op);
Result<Outputs> map_l2_normalization(Operation& op);
Result<Outputs> map_log_softmax(Operation& op);
Result<Outputs> map_softmax(Operation& op);

// map_resize.cpp
Result<Outputs> map_resize_bilinear(Operation& op);
Result<Outputs> map_resize_nearest_neighbor(Operation& op);

// map_pad.cpp
Result<Outputs> map_mirror_pad(Operation& op);
Result<Outputs> map_pad(Operation& op);
Result<Outputs> map_pad_v2(Operation& op);

// map_shape.cpp
Result<Outputs> map_broadcast_to(Operation& op);
Result<Outputs> map_depth_to_space(Operation& op);
Result<Outputs> map_expand_dims(Operation& op);
Result<Outputs> map_reshape(Operation& op);
Result<Outputs> map_space_to_depth(Operation& op);
Result<Outputs> map_squeeze(Operation& op);
Result<Outputs> map_tile(Operation& op);
Result<Outputs> map_transpose(Operation& op);

// map_pieces.cpp
Result<Outputs> map_concatenation(Operation& op);
Result<Outputs> map_pack(Operation& op);
Result<Outputs> map_slice(Operation& op);
Result<Outputs> map_split(Operation& op);
Result<Outputs> map_split_v(Operation& op);
Result<Outputs> map_strided_slice(Operation& op);
Result<Outputs> map_unpack(Operation& op);

} // namespace sluice::models::tflite
