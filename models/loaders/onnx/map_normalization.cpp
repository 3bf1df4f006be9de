// SPDX-License-Identifier: Apache-2.0
// Mappings of normalisations.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/batch_normalization.h"
#include "core/ops/instance_normalization.h"
#include "core/ops/pool2d.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;
using ops::ReduceKind;

Result<Outputs> map_batch_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::int64_t training, op.integer("training_mode", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t spatial, op.integer("spatial", 1));
    if (training != 0 || spatial == 0 || op.has_output(1)) {
        return fail(ErrorCode::Unsupported,
                    "training, or statistics of single elements; export the model for inference");
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId scale, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId bias, op.input(2));
    SLUICE_TRY_ASSIGN(const OperandId mean, op.input(3));
    SLUICE_TRY_ASSIGN(const OperandId variance, op.input(4));
    SLUICE_TRY_ASSIGN(const double epsilon, op.real("epsilon", 1e-5));
    return op.build().batch_normalization(x, mean, variance, {.axis = 1, .epsilon = epsilon},
                                          {.scale = scale, .bias = bias}, op.label());
}

namespace {

// [batch, rows, 1, the rest]: what instance normalisation makes of tensors that are no pictures.
Result<Shape> as_picture(const Shape& shape, std::uint32_t rows) {
    if (shape.rank() < 2) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    const auto rest = shape.element_count() / (std::size_t{shape[0]} * rows);
    return Shape{shape[0], rows, 1, static_cast<std::uint32_t>(rest)};
}

// A vector per channel, for broadcasting against [batch, channels, ...].
Result<OperandId> per_channel(Operation& op, OperandId vector, std::size_t rank) {
    std::vector<std::uint32_t> dims(rank, 1);
    dims[1] = static_cast<std::uint32_t>(op.shape(vector).element_count());
    return op.reshaped(vector, Shape(dims));
}

} // namespace

Result<Outputs> map_instance_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId scale, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId bias, op.input(2));
    SLUICE_TRY_ASSIGN(const double epsilon, op.real("epsilon", 1e-5));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const Shape picture, as_picture(shape, shape.rank() < 2 ? 1 : shape[1]));
    SLUICE_TRY_ASSIGN(const OperandId flat, shape.rank() == 4 ? x : op.reshaped(x, picture));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().instance_normalization(
                          flat, {.epsilon = epsilon}, {.scale = scale, .bias = bias}, op.label()));
    return op.reshaped(y, shape);
}

// Each group of channels is an instance. Scale and bias were per group before version 21.
Result<Outputs> map_group_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(OperandId scale, op.input(1));
    SLUICE_TRY_ASSIGN(OperandId bias, op.input(2));
    SLUICE_TRY_ASSIGN(const double epsilon, op.real("epsilon", 1e-5));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("num_groups", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t groups, positive(listed, "num_groups"));
    const Shape shape = op.shape(x);
    if (shape.rank() < 2 || shape[1] % groups != 0) {
        return fail(ErrorCode::Parse, "{} groups of {}", groups, graph::to_string(shape));
    }
    SLUICE_TRY_ASSIGN(const Shape picture, as_picture(shape, groups));
    SLUICE_TRY_ASSIGN(const OperandId flat, op.reshaped(x, picture));
    SLUICE_TRY_ASSIGN(const OperandId normal, op.build().instance_normalization(
                                                  flat, {.epsilon = epsilon}, {}, op.label()));
    SLUICE_TRY_ASSIGN(OperandId y, op.reshaped(normal, shape));
    for (OperandId* const vector : {&scale, &bias}) {
        if (op.shape(*vector).element_count() == groups && groups != shape[1]) {
            SLUICE_TRY_ASSIGN(*vector, op.reshaped(*vector, Shape{groups, 1}));
            SLUICE_TRY_ASSIGN(
                *vector, op.build().expand(*vector, Shape{groups, shape[1] / groups}, op.label()));
        }
        SLUICE_TRY_ASSIGN(*vector, per_channel(op, *vector, shape.rank()));
    }
    SLUICE_TRY_ASSIGN(y, op.build().mul(y, scale, op.label()));
    return op.build().add(y, bias, op.label());
}

namespace {

// Mean and 1 / sqrt(variance + epsilon), which LayerNormalization may be asked for.
Result<std::vector<OperandId>> statistics(Operation& op, OperandId x,
                                          const std::vector<std::uint32_t>& axes, double epsilon) {
    SLUICE_TRY_ASSIGN(const OperandId mean,
                      op.build().reduce(ReduceKind::Mean, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId d, op.build().sub(x, mean, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId square, op.build().mul(d, d, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId variance,
                      op.build().reduce(ReduceKind::Mean, square, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId floor, op.number(x, epsilon));
    SLUICE_TRY_ASSIGN(const OperandId sum, op.build().add(variance, floor, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId root, op.build().sqrt(sum, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId inverse, op.build().reciprocal(root, op.label()));
    return std::vector{mean, inverse};
}

} // namespace

Result<Outputs> map_layer_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(std::optional<OperandId> scale, op.optional_input(1));
    SLUICE_TRY_ASSIGN(std::optional<OperandId> bias, op.optional_input(2));
    SLUICE_TRY_ASSIGN(const double epsilon, op.real("epsilon", 1e-5));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", -1));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::uint32_t first, axis_of(listed, shape.rank()));
    std::vector<std::uint32_t> axes;
    Shape rest;
    for (std::uint32_t i = first; i < shape.rank(); ++i) {
        axes.push_back(i);
        rest.push_back(shape[i]);
    }
    for (std::optional<OperandId>* const vector : {&scale, &bias}) {
        if (*vector && op.shape(**vector) != rest) {
            SLUICE_TRY_ASSIGN(*vector, op.build().expand(**vector, rest, op.label()));
        }
    }
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().layer_normalization(x, axes, epsilon,
                                                     {.scale = scale, .bias = bias}, op.label()));
    if (!op.has_output(1) && !op.has_output(2)) {
        return y;
    }
    SLUICE_TRY_ASSIGN(const auto more, statistics(op, x, axes, epsilon));
    return std::vector{y, more[0], more[1]};
}

// x / |x| along an axis.
Result<Outputs> map_lp_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t p, op.integer("p", 2));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", -1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, op.shape(x).rank()));
    if (p != 1 && p != 2) {
        return fail(ErrorCode::Parse, "p = {}, it is 1 or 2", p);
    }
    SLUICE_TRY_ASSIGN(const OperandId norm,
                      op.build().reduce(p == 1 ? ReduceKind::L1 : ReduceKind::L2, x,
                                        std::vector{axis}, true, op.label()));
    return op.build().div(x, norm, op.label());
}

// x / (bias + alpha * mean of squares)^beta, the mean over a window of channels whose missing ones
// are zero: an average pool down the channels, with zeros in front and behind.
Result<Outputs> map_lrn(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const double alpha, op.real("alpha", 0.0001));
    SLUICE_TRY_ASSIGN(const double beta, op.real("beta", 0.75));
    SLUICE_TRY_ASSIGN(const double bias, op.real("bias", 1.0));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("size", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t size, positive(listed, "size"));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const Shape picture, as_picture(shape, shape.rank() < 2 ? 1 : shape[1]));
    SLUICE_TRY_ASSIGN(const OperandId square, op.build().mul(x, x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId columns,
                      op.reshaped(square, Shape{picture[0], 1, picture[1], picture[3]}));
    SLUICE_TRY_ASSIGN(
        const OperandId padded,
        op.build().pad(columns,
                       {.beginning = {0, 0, (size - 1) / 2, 0}, .ending = {0, 0, size / 2, 0}},
                       op.label()));
    SLUICE_TRY_ASSIGN(const OperandId mean,
                      op.build().pool2d(padded,
                                        {.kind = ops::PoolKind::Average, .window = {size, 1}},
                                        op.label()));
    SLUICE_TRY_ASSIGN(
        const OperandId base,
        op.build().unary({.kind = ops::UnaryKind::Linear, .alpha = alpha, .beta = bias}, mean,
                         op.label()));
    SLUICE_TRY_ASSIGN(const OperandId exponent, op.number(x, beta));
    SLUICE_TRY_ASSIGN(const OperandId divisor, op.build().pow(base, exponent, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId shaped, op.reshaped(divisor, shape));
    return op.build().div(x, shaped, op.label());
}

// (x - mean) / (standard deviation + 1e-9)
Result<Outputs> map_mean_variance_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(auto listed, op.integer_list("axes"));
    if (listed.empty()) {
        listed = {0, 2, 3};
    }
    SLUICE_TRY_ASSIGN(const auto axes, axes_of(listed, op.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const OperandId mean,
                      op.build().reduce(ReduceKind::Mean, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId d, op.build().sub(x, mean, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId square, op.build().mul(d, d, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId variance,
                      op.build().reduce(ReduceKind::Mean, square, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId root, op.build().sqrt(variance, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId floor, op.number(x, 1e-9));
    SLUICE_TRY_ASSIGN(const OperandId divisor, op.build().add(root, floor, op.label()));
    return op.build().div(d, divisor, op.label());
}

} // namespace sluice::models::onnx
