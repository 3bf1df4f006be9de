// SPDX-License-Identifier: Apache-2.0
// Mappings of reductions and of what is made of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/reduce.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using ops::ReduceKind;

namespace {

Result<Outputs> map_arg(Operation& op, bool is_max) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integers(1));
    if (axes.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", axes.size());
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(axes[0], op.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const auto output, op.output_desc(0));
    return op.build().arg_min_max(x, {.is_max = is_max, .axis = axis, .output_type = output.type()},
                                  op.label());
}

// The last axis of x, alone.
Result<std::vector<std::uint32_t>> last_axis(Operation& op, OperandId x) {
    const std::size_t rank = op.shape(x).rank();
    if (rank == 0) {
        return fail(ErrorCode::Parse, "a scalar has no last axis");
    }
    return std::vector{static_cast<std::uint32_t>(rank - 1)};
}

} // namespace

Result<Outputs> map_reduce(Operation& op, ReduceKind kind) {
    const auto* options = op.options<schema::ReducerOptions>();
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto listed, op.integers(1));
    std::vector<std::uint32_t> axes;
    for (const std::int64_t value : listed) {
        SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(value, op.shape(x).rank()));
        if (std::ranges::find(axes, axis) == axes.end()) {
            axes.push_back(axis);
        }
    }
    std::ranges::sort(axes);
    return op.build().reduce(kind, x, axes, options != nullptr && options->keep_dims(), op.label());
}

Result<Outputs> map_arg_max(Operation& op) {
    return map_arg(op, true);
}

Result<Outputs> map_arg_min(Operation& op) {
    return map_arg(op, false);
}

// x / max(|x|, 1e-6) along the last axis.
Result<Outputs> map_l2_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    SLUICE_TRY_ASSIGN(const OperandId norm,
                      op.build().reduce(ReduceKind::L2, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId floor, op.number(x, 1e-6));
    SLUICE_TRY_ASSIGN(const OperandId divisor, op.build().max(norm, floor, op.label()));
    return op.build().div(x, divisor, op.label());
}

// d - log(sum(exp(d))) with d = x - max(x), which neither overflows nor takes the log of 0.
Result<Outputs> map_log_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    SLUICE_TRY_ASSIGN(const OperandId top,
                      op.build().reduce(ReduceKind::Max, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId d, op.build().sub(x, top, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId sum,
                      op.build().reduce(ReduceKind::LogSumExp, d, axes, true, op.label()));
    return op.build().sub(d, sum, op.label());
}

Result<Outputs> map_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::SoftmaxOptions>());
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    if (options->beta() != 1.0F) {
        SLUICE_TRY_ASSIGN(const OperandId beta, op.number(x, options->beta()));
        SLUICE_TRY_ASSIGN(x, op.build().mul(x, beta, op.label()));
    }
    return op.build().softmax(x, axes[0], op.label());
}

} // namespace sluice::models::tflite
