// SPDX-License-Identifier: Apache-2.0
// Layers that compute element by element: activations, normalization, sums of several inputs.
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/binary.h"
#include "core/ops/unary.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tfjs/layer.h"
#include "models/loaders/tfjs/layers.h"

namespace sluice::models::tfjs::layers {

using graph::OperandId;

Result<OperandId> activation(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    return layer.activate(x, layer.text("activation", ""));
}

Result<OperandId> elu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double alpha, layer.real("alpha", 1.0));
    return layer.build().unary({.kind = ops::UnaryKind::Elu, .alpha = alpha}, x, layer.label());
}

Result<OperandId> leaky_relu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double alpha, layer.real("alpha", 0.3));
    return layer.build().unary({.kind = ops::UnaryKind::LeakyRelu, .alpha = alpha}, x,
                               layer.label());
}

Result<OperandId> prelu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const OperandId slope, layer.weight("alpha"));
    return layer.build().prelu(x, slope, layer.label());
}

Result<OperandId> relu(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double limit, layer.real("max_value", 0.0));
    SLUICE_TRY_ASSIGN(const double slope, layer.real("negative_slope", 0.0));
    SLUICE_TRY_ASSIGN(const double threshold, layer.real("threshold", 0.0));
    if (slope != 0.0 || threshold != 0.0) {
        return fail(ErrorCode::Unsupported, "a slope of {} below {}", slope, threshold);
    }
    return limit > 0.0 ? tensorflow::clamp(layer, x, 0.0, limit)
                       : layer.build().relu(x, layer.label());
}

Result<OperandId> softmax(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const std::int64_t along, layer.integer("axis", -1));
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(along, layer.shape(x).rank()));
    return layer.build().softmax(x, axis, layer.label());
}

Result<OperandId> batch_normalization(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const auto axes, layer.integers("axis"));
    SLUICE_TRY_ASSIGN(const auto axis,
                      tensorflow::axis_of(axes.size() == 1 ? axes[0] : -1, layer.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const double epsilon, layer.real("epsilon", 1e-3));
    SLUICE_TRY_ASSIGN(const auto scale, layer.weight_if("scale", "gamma"));
    SLUICE_TRY_ASSIGN(const auto bias, layer.weight_if("center", "beta"));
    SLUICE_TRY_ASSIGN(const OperandId mean, layer.weight("moving_mean"));
    SLUICE_TRY_ASSIGN(const OperandId variance, layer.weight("moving_variance"));
    return layer.build().batch_normalization(x, mean, variance, {.axis = axis, .epsilon = epsilon},
                                             {.scale = scale, .bias = bias}, layer.label());
}

Result<OperandId> rescaling(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double scale, layer.real("scale", 1.0));
    SLUICE_TRY_ASSIGN(const double offset, layer.real("offset", 0.0));
    return layer.build().unary({.kind = ops::UnaryKind::Linear, .alpha = scale, .beta = offset}, x,
                               layer.label());
}

// Dropout and its kin do nothing but in training.
Result<OperandId> identity(Layer& layer) {
    return layer.input();
}

Result<OperandId> multiply_beta(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId x, layer.input());
    SLUICE_TRY_ASSIGN(const double beta, layer.real("beta", 0.2));
    return layer.build().unary({.kind = ops::UnaryKind::Linear, .alpha = beta, .beta = 0.0}, x,
                               layer.label());
}

Result<OperandId> merge_inputs(Layer& layer, ops::BinaryKind kind) {
    SLUICE_TRY_ASSIGN(OperandId result, layer.input());
    for (std::size_t i = 1; i < layer.inputs().size(); ++i) {
        SLUICE_TRY_ASSIGN(result,
                          layer.build().binary(kind, result, layer.inputs()[i], layer.label()));
    }
    return result;
}

Result<OperandId> average(Layer& layer) {
    SLUICE_TRY_ASSIGN(const OperandId sum, merge_inputs(layer, ops::BinaryKind::Add));
    SLUICE_TRY_ASSIGN(const OperandId count,
                      layer.number(sum, static_cast<double>(layer.inputs().size())));
    return layer.build().div(sum, count, layer.label());
}

} // namespace sluice::models::tfjs::layers
