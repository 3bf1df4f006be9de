// SPDX-License-Identifier: Apache-2.0
// Mappings of reductions and of what is made of them.
#include <cstdint>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/reduce.h"
#include "models/loaders/ranking.h"
#include "models/loaders/tensorflow/arithmetic.h"
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
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, tensorflow::axis_of(axes[0], op.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const auto output, op.output_desc(0));
    return op.build().arg_min_max(x, {.is_max = is_max, .axis = axis, .output_type = output.type()},
                                  op.label());
}

} // namespace

Result<Outputs> map_reduce(Operation& op, ReduceKind kind) {
    const auto* options = op.options<schema::ReducerOptions>();
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integers(1));
    return tensorflow::reduce(op, kind, x, axes, options != nullptr && options->keep_dims());
}

Result<Outputs> map_arg_max(Operation& op) {
    return map_arg(op, true);
}

Result<Outputs> map_arg_min(Operation& op) {
    return map_arg(op, false);
}

Result<Outputs> map_top_k(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto counts, op.integers(1));
    if (counts.size() != 1) {
        return fail(ErrorCode::Parse, "{} counts, one is needed", counts.size());
    }
    const auto last = static_cast<std::uint32_t>(std::max<std::size_t>(op.shape(x).rank(), 1) - 1);
    SLUICE_TRY_ASSIGN(const Ranked ranked,
                      rank_values(op.build(), x, {.axis = last, .count = counts[0]}, op.label()));
    return std::vector{ranked.values, ranked.places};
}

Result<Outputs> map_l2_normalization(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::l2_normalization(op, x);
}

Result<Outputs> map_log_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::log_softmax(op, x);
}

Result<Outputs> map_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::SoftmaxOptions>());
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    if (options->beta() != 1.0F) {
        SLUICE_TRY_ASSIGN(const OperandId beta, op.number(x, options->beta()));
        SLUICE_TRY_ASSIGN(x, op.build().mul(x, beta, op.label()));
    }
    return tensorflow::softmax(op, x);
}

} // namespace sluice::models::tflite
