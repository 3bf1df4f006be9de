// SPDX-License-Identifier: Apache-2.0
// Mappings of reductions, and of what works along an axis.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/arg_min_max.h"
#include "core/ops/cumulative_sum.h"
#include "core/ops/reduce.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/ranking.h"

namespace sluice::models::onnx {

using graph::DataType;
using graph::OperandId;
using graph::Shape;
using ops::ReduceKind;

Result<Outputs> map_reduce(Operation& op, ReduceKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("axes", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t keep, op.integer("keepdims", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t noop, op.integer("noop_with_empty_axes", 0));
    SLUICE_TRY_ASSIGN(auto axes,
                      axes_of(listed.value_or(std::vector<std::int64_t>()), op.shape(x).rank()));
    if (axes.empty() && noop != 0) {
        return x;
    }
    const bool all = axes.empty();
    return op.build().reduce(kind, x, all ? std::nullopt : std::optional(std::move(axes)),
                             keep != 0, op.label());
}

namespace {

Result<Outputs> map_arg(Operation& op, bool is_max) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, shape.rank()));
    SLUICE_TRY_ASSIGN(const std::int64_t keep, op.integer("keepdims", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t last, op.integer("select_last_index", 0));
    // The last of equal ones is the first from behind.
    if (last != 0) {
        SLUICE_TRY_ASSIGN(x, op.build().reverse(x, std::vector{axis}, op.label()));
    }
    SLUICE_TRY_ASSIGN(const OperandId index,
                      op.build().arg_min_max(x,
                                             {.is_max = is_max,
                                              .axis = axis,
                                              .keep_dimensions = keep != 0,
                                              .output_type = DataType::Int64},
                                             op.label()));
    if (last == 0) {
        return index;
    }
    SLUICE_TRY_ASSIGN(const OperandId end, op.number(index, static_cast<double>(shape[axis] - 1)));
    return op.build().sub(end, index, op.label());
}

// Before version 13, everything behind the axis is one row.
struct Rows {
    OperandId x;
    Shape shape; // of the result
    std::uint32_t axis;
};

Result<Rows> rows_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    const bool flattens = op.opset() < 13;
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", flattens ? 1 : -1));
    if (flattens && listed == static_cast<std::int64_t>(shape.rank())) {
        return fail(ErrorCode::Unsupported, "rows of one element");
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, shape.rank()));
    if (!flattens || axis + 1 == shape.rank()) {
        return Rows{.x = x, .shape = shape, .axis = axis};
    }
    Shape flat{1, 1};
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        flat[i < axis ? 0 : 1] *= shape[i]; // factors of an existing tensor's element count
    }
    SLUICE_TRY_ASSIGN(const OperandId rows, op.reshaped(x, flat));
    return Rows{.x = rows, .shape = shape, .axis = 1};
}

} // namespace

Result<Outputs> map_arg_max(Operation& op) {
    return map_arg(op, true);
}

Result<Outputs> map_arg_min(Operation& op) {
    return map_arg(op, false);
}

// Before version 10 the count is an attribute.
Result<Outputs> map_top_k(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto counts, op.integers_of("k", 1));
    if (!counts || counts->size() != 1) {
        return fail(ErrorCode::Parse, "{} counts, one is needed", counts ? counts->size() : 0);
    }
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", -1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, op.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const std::int64_t largest, op.integer("largest", 1));
    SLUICE_TRY_ASSIGN(const Ranked ranked, rank_values(op.build(), x,
                                                       {.axis = axis,
                                                        .count = (*counts)[0],
                                                        .largest = largest != 0,
                                                        .place_type = DataType::Int64},
                                                       op.label()));
    return std::vector{ranked.values, ranked.places};
}

Result<Outputs> map_cum_sum(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto listed, op.integers(1));
    if (listed.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", listed.size());
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed[0], op.shape(x).rank()));
    SLUICE_TRY_ASSIGN(const std::int64_t exclusive, op.integer("exclusive", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t reverse, op.integer("reverse", 0));
    return op.build().cumulative_sum(
        x, {.axis = axis, .exclusive = exclusive != 0, .reversed = reverse != 0}, op.label());
}

// 1 where the index is that of the first maximum.
Result<Outputs> map_hardmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const Rows rows, rows_of(op));
    const Shape shape = op.shape(rows.x);
    SLUICE_TRY_ASSIGN(const OperandId best, op.build().arg_min_max(rows.x,
                                                                   {.is_max = true,
                                                                    .axis = rows.axis,
                                                                    .keep_dimensions = true,
                                                                    .output_type = DataType::Int32},
                                                                   op.label()));
    std::vector<std::int64_t> dims(shape.rank(), 1);
    dims[rows.axis] = shape[rows.axis];
    SLUICE_TRY(op.budget().take(std::size_t{shape[rows.axis]} * sizeof(std::int64_t)));
    Literal counter = Literal::of(schema::Tensor::INT32, std::move(dims));
    std::ranges::iota(counter.integers, 0);
    SLUICE_TRY_ASSIGN(const OperandId indices, op.add_constant(counter));
    SLUICE_TRY_ASSIGN(const OperandId hit, op.build().equal(best, indices, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y, op.build().cast(hit, op.desc(rows.x).type(), op.label()));
    return op.reshaped(y, rows.shape);
}

// d - log(sum(exp(d))) with d = x - max(x), which neither overflows nor takes the log of 0.
Result<Outputs> map_log_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const Rows rows, rows_of(op));
    const std::vector axes{rows.axis};
    SLUICE_TRY_ASSIGN(const OperandId top,
                      op.build().reduce(ReduceKind::Max, rows.x, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId d, op.build().sub(rows.x, top, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId sum,
                      op.build().reduce(ReduceKind::LogSumExp, d, axes, true, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y, op.build().sub(d, sum, op.label()));
    return op.reshaped(y, rows.shape);
}

Result<Outputs> map_softmax(Operation& op) {
    SLUICE_TRY_ASSIGN(const Rows rows, rows_of(op));
    SLUICE_TRY_ASSIGN(const OperandId y, op.build().softmax(rows.x, rows.axis, op.label()));
    return op.reshaped(y, rows.shape);
}

} // namespace sluice::models::onnx
