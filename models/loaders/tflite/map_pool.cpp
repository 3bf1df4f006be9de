// SPDX-License-Identifier: Apache-2.0
// Mappings of pooling. Padding is never averaged, as in WebNN.
#include <cstddef>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/pool2d.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"
#include "models/loaders/tflite/window.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

Result<OperandId> pool(Operation& op, OperandId x, ops::PoolKind kind,
                       const schema::Pool2DOptions& options) {
    const graph::Shape shape = op.shape(x);
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    ops::Pool2d attributes{.kind = kind, .layout = ops::InputLayout::Nhwc};
    SLUICE_TRY_ASSIGN(attributes.window[0], positive(options.filter_height(), "window"));
    SLUICE_TRY_ASSIGN(attributes.window[1], positive(options.filter_width(), "window"));
    SLUICE_TRY_ASSIGN(attributes.strides[0], positive(options.stride_h(), "stride"));
    SLUICE_TRY_ASSIGN(attributes.strides[1], positive(options.stride_w(), "stride"));
    for (std::size_t i = 0; i < 2; ++i) {
        const Window window{
            .size = attributes.window[i], .stride = attributes.strides[i], .dilation = 1};
        SLUICE_TRY_ASSIGN(const auto pad, padding_of(options.padding(), shape[1 + i], window));
        attributes.padding[2 * i] = pad[0];
        attributes.padding[2 * i + 1] = pad[1];
    }
    return op.build().pool2d(x, attributes, op.label());
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
