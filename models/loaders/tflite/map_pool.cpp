// SPDX-License-Identifier: Apache-2.0
// Mappings of pooling.
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/pool2d.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/sliding.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

Result<OperandId> pool(Operation& op, OperandId x, ops::PoolKind kind,
                       const schema::Pool2DOptions& options) {
    SLUICE_TRY_ASSIGN(const tensorflow::Sliding sliding, sliding_of(options));
    return tensorflow::pool(op, x, kind, {options.filter_height(), options.filter_width()},
                            sliding);
}

Result<Outputs> map_pool(Operation& op, ops::PoolKind kind) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::Pool2DOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId y, pool(op, x, kind, *options));
    return op.activate(y, options->fused_activation_function());
}

} // namespace

Result<Outputs> map_average_pool_2d(Operation& op) {
    return map_pool(op, ops::PoolKind::Average);
}

Result<Outputs> map_max_pool_2d(Operation& op) {
    return map_pool(op, ops::PoolKind::Max);
}

// The root of the mean square; WebNN's l2Pool2d is the root of the sum.
Result<Outputs> map_l2_pool_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::Pool2DOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId square, op.build().mul(x, x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId mean, pool(op, square, ops::PoolKind::Average, *options));
    SLUICE_TRY_ASSIGN(const OperandId root, op.build().sqrt(mean, op.label()));
    return op.activate(root, options->fused_activation_function());
}

} // namespace sluice::models::tflite
