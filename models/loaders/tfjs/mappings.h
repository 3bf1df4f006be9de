// SPDX-License-Identifier: Apache-2.0
// The functions that operators.cpp's table points to: each turns one operator into builder calls.
#pragma once

#include "core/base/result.h"
#include "core/ops/binary.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

using Mapping = Result<Outputs> (*)(Operation&);

// map_arithmetic.cpp
[[nodiscard]] Result<Outputs> map_unary(Operation& op, const ops::Activation& function);
[[nodiscard]] Result<Outputs> map_binary(Operation& op, ops::BinaryKind kind);
[[nodiscard]] Result<Outputs> map_reduce(Operation& op, ops::ReduceKind kind);
template <ops::UnaryKind kKind>
[[nodiscard]] Result<Outputs> unary(Operation& op) {
    return map_unary(op, {.kind = kKind});
}
template <ops::BinaryKind kKind>
[[nodiscard]] Result<Outputs> binary(Operation& op) {
    return map_binary(op, kKind);
}
template <ops::ReduceKind kKind>
[[nodiscard]] Result<Outputs> reduce(Operation& op) {
    return map_reduce(op, kKind);
}
Result<Outputs> map_add_n(Operation& op);
Result<Outputs> map_arg_max(Operation& op);
Result<Outputs> map_arg_min(Operation& op);
Result<Outputs> map_atan2(Operation& op);
Result<Outputs> map_cast(Operation& op);
Result<Outputs> map_elu(Operation& op);
Result<Outputs> map_floor_div(Operation& op);
Result<Outputs> map_floor_mod(Operation& op);
Result<Outputs> map_leaky_relu(Operation& op);
Result<Outputs> map_log_softmax(Operation& op);
Result<Outputs> map_ones_like(Operation& op);
Result<Outputs> map_relu6(Operation& op);
Result<Outputs> map_rsqrt(Operation& op);
Result<Outputs> map_select(Operation& op);
Result<Outputs> map_select_v2(Operation& op);
Result<Outputs> map_softmax(Operation& op);
Result<Outputs> map_square(Operation& op);
Result<Outputs> map_squared_difference(Operation& op);
Result<Outputs> map_zeros_like(Operation& op);
// The result is x, shaped: "Identity" and its kin.
Result<Outputs> map_identity(Operation& op);

// map_layers.cpp
Result<Outputs> map_avg_pool(Operation& op);
Result<Outputs> map_batch_mat_mul(Operation& op);
Result<Outputs> map_batch_norm(Operation& op);
Result<Outputs> map_conv_2d(Operation& op); // plain and fused
Result<Outputs> map_conv_2d_backprop_input(Operation& op);
Result<Outputs> map_depthwise_conv_2d(Operation& op); // plain and fused
Result<Outputs> map_mat_mul(Operation& op);           // plain and fused
Result<Outputs> map_max_pool(Operation& op);
Result<Outputs> map_resize_bilinear(Operation& op);
Result<Outputs> map_resize_nearest_neighbor(Operation& op);

// map_moves.cpp
Result<Outputs> map_batch_to_space(Operation& op);
Result<Outputs> map_broadcast_to(Operation& op);
Result<Outputs> map_concat(Operation& op);
Result<Outputs> map_depth_to_space(Operation& op);
Result<Outputs> map_expand_dims(Operation& op);
Result<Outputs> map_fill(Operation& op);
Result<Outputs> map_gather(Operation& op);
Result<Outputs> map_gather_nd(Operation& op);
Result<Outputs> map_mirror_pad(Operation& op);
Result<Outputs> map_pack(Operation& op);
Result<Outputs> map_pad(Operation& op);
Result<Outputs> map_reshape(Operation& op);
Result<Outputs> map_slice(Operation& op);
Result<Outputs> map_space_to_batch(Operation& op);
Result<Outputs> map_space_to_depth(Operation& op);
Result<Outputs> map_split(Operation& op);
Result<Outputs> map_split_v(Operation& op);
Result<Outputs> map_squeeze(Operation& op);
Result<Outputs> map_strided_slice(Operation& op);
Result<Outputs> map_tile(Operation& op);
Result<Outputs> map_transpose(Operation& op);
Result<Outputs> map_unpack(Operation& op);

// What a StridedSlice takes.
[[nodiscard]] Result<tensorflow::StridedSlice> strided_slice_of(Operation& op);

// map_search.cpp
Result<Outputs> map_sparse_to_dense(Operation& op);
Result<Outputs> map_top_k(Operation& op);

} // namespace sluice::models::tfjs
