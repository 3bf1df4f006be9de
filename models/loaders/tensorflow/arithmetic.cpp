// SPDX-License-Identifier: Apache-2.0
// Element-wise operators, reductions and products that WebNN has under no name of their own.
#include "models/loaders/tensorflow/arithmetic.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/pad.h"
#include "core/ops/reduce.h"
#include "core/ops/unary.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

using ops::ReduceKind;
using ops::UnaryKind;

Result<OperandId> sum_of(Context& op, std::span<const OperandId> terms) {
    if (terms.empty()) {
        return fail(ErrorCode::Parse, "nothing to add up");
    }
    OperandId sum = terms[0];
    for (const OperandId next : terms.subspan(1)) {
        SLUICE_TRY_ASSIGN(sum, op.build().add(sum, next, op.label()));
    }
    return sum;
}

Result<OperandId> floor_div(Context& op, OperandId a, OperandId b) {
    SLUICE_TRY_ASSIGN(const OperandId quotient, op.build().div(a, b, op.label()));
    if (op.is_float(a)) {
        return op.build().floor(quotient, op.label());
    }
    // Integers are cut towards zero: one too many where a remainder and the divisor have different
    // signs.
    SLUICE_TRY_ASSIGN(const OperandId zero, op.number(a, 0.0));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().mul(quotient, b, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId rest, op.build().sub(a, product, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId uneven, op.build().not_equal(rest, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId rest_below, op.build().lesser(rest, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId below, op.build().lesser(b, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId apart, op.build().logical_xor(rest_below, below, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId wrong, op.build().logical_and(uneven, apart, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId excess,
                      op.build().cast(wrong, op.desc(a).type(), op.label()));
    return op.build().sub(quotient, excess, op.label());
}

Result<OperandId> floor_mod(Context& op, OperandId a, OperandId b) {
    SLUICE_TRY_ASSIGN(const OperandId whole, floor_div(op, a, b));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().mul(whole, b, op.label()));
    return op.build().sub(a, product, op.label());
}

Result<OperandId> filled_like(Context& op, OperandId x, double value) {
    SLUICE_TRY_ASSIGN(const OperandId number, op.number(x, value));
    return op.build().expand(number, op.shape(x), op.label());
}

Result<OperandId> rsqrt(Context& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const OperandId root, op.build().sqrt(x, op.label()));
    return op.build().reciprocal(root, op.label());
}

Result<OperandId> squared_difference(Context& op, OperandId a, OperandId b) {
    SLUICE_TRY_ASSIGN(const OperandId difference, op.build().sub(a, b, op.label()));
    return op.build().mul(difference, difference, op.label());
}

Result<OperandId> clamp(Context& op, OperandId x, double low, double high) {
    return op.build().unary({.kind = UnaryKind::Clamp, .alpha = low, .beta = high}, x, op.label());
}

Result<OperandId> select_rows(Context& op, OperandId condition, OperandId yes, OperandId no) {
    const graph::Shape shape = op.shape(condition);
    const std::size_t rank = op.shape(yes).rank();
    if (shape.rank() != 1 || rank <= 1) {
        return op.build().where(condition, yes, no, op.label());
    }
    std::vector<std::uint32_t> rows(rank, 1);
    rows[0] = shape[0];
    SLUICE_TRY_ASSIGN(const OperandId column,
                      op.build().reshape(condition, graph::Shape(rows), op.label()));
    return op.build().where(column, yes, no, op.label());
}

Result<OperandId> reduce(Context& op, ReduceKind kind, OperandId x,
                         std::span<const std::int64_t> listed, bool keep_dimensions) {
    std::vector<std::uint32_t> axes;
    for (const std::int64_t value : listed) {
        SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(value, op.shape(x).rank()));
        if (std::ranges::find(axes, axis) == axes.end()) {
            axes.push_back(axis);
        }
    }
    std::ranges::sort(axes);
    return op.build().reduce(kind, x, axes, keep_dimensions, op.label());
}

namespace {

// The last axis of x, alone.
Result<std::vector<std::uint32_t>> last_axis(Context& op, OperandId x) {
    const std::size_t rank = op.shape(x).rank();
    if (rank == 0) {
        return fail(ErrorCode::Parse, "a scalar has no last axis");
    }
    return std::vector{static_cast<std::uint32_t>(rank - 1)};
}

// x with its last two axes exchanged.
Result<OperandId> turned(Context& op, OperandId x) {
    const std::size_t rank = op.shape(x).rank();
    if (rank < 2) {
        return fail(ErrorCode::Parse, "a matrix of {} dimensions", rank);
    }
    std::vector<std::uint32_t> permutation(rank);
    std::iota(permutation.begin(), permutation.end(), 0U);
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    return op.build().transpose(x, permutation, op.label());
}

} // namespace

Result<OperandId> softmax(Context& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    return op.build().softmax(x, axes[0], op.label());
}

// d - log(sum(exp(d))) with d = x - max(x), which neither overflows nor takes the log of 0.
Result<OperandId> log_softmax(Context& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    SLUICE_TRY_ASSIGN(const OperandId top,
                      op.build().reduce(ReduceKind::Max, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId d, op.build().sub(x, top, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId sum,
                      op.build().reduce(ReduceKind::LogSumExp, d, axes, true, op.label()));
    return op.build().sub(d, sum, op.label());
}

// x / max(|x|, 1e-6).
Result<OperandId> l2_normalization(Context& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const auto axes, last_axis(op, x));
    SLUICE_TRY_ASSIGN(const OperandId norm,
                      op.build().reduce(ReduceKind::L2, x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId floor, op.number(x, 1e-6));
    SLUICE_TRY_ASSIGN(const OperandId divisor, op.build().max(norm, floor, op.label()));
    return op.build().div(x, divisor, op.label());
}

Result<OperandId> matmul(Context& op, OperandId a, OperandId b, bool turn_a, bool turn_b) {
    if (turn_a) {
        SLUICE_TRY_ASSIGN(a, turned(op, a));
    }
    if (turn_b) {
        SLUICE_TRY_ASSIGN(b, turned(op, b));
    }
    return op.build().matmul(a, b, op.label());
}

Result<ops::Pad> padding_amounts(Context& op, OperandId x, std::span<const std::int64_t> pairs) {
    const std::size_t rank = op.shape(x).rank();
    if (pairs.size() != 2 * rank) {
        return fail(ErrorCode::Parse, "{} paddings for {} dimensions", pairs.size(), rank);
    }
    ops::Pad pad;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (!std::in_range<std::uint32_t>(pairs[i])) {
            return fail(ErrorCode::Parse, "a padding of {}", pairs[i]);
        }
        (i % 2 == 0 ? pad.beginning : pad.ending).push_back(static_cast<std::uint32_t>(pairs[i]));
    }
    return pad;
}

Result<OperandId> mirror_pad(Context& op, OperandId x, std::span<const std::int64_t> pairs,
                             bool symmetric) {
    SLUICE_TRY_ASSIGN(ops::Pad pad, padding_amounts(op, x, pairs));
    pad.mode = ops::PaddingMode::Reflection;
    if (symmetric) {
        // A mirror image that repeats the border is, one element wide, the border.
        const auto narrow = [](std::uint32_t amount) { return amount <= 1; };
        if (!std::ranges::all_of(pad.beginning, narrow) ||
            !std::ranges::all_of(pad.ending, narrow)) {
            return fail(ErrorCode::Unsupported, "symmetric padding by more than one element");
        }
        pad.mode = ops::PaddingMode::Edge;
    }
    return op.build().pad(x, std::move(pad), op.label());
}

} // namespace sluice::models::tensorflow
