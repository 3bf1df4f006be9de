// SPDX-License-Identifier: Apache-2.0
// The table of what can be evaluated, and evaluation of shapes and ranges.
#include "models/loaders/tfjs/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

using Dims = std::vector<std::int64_t>;

Evaluation evaluate_fill(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(Dims dims, op.integers(0));
    if (!fits_literal(dims) || inputs[1]->values.size() != 1) {
        return std::nullopt;
    }
    Literal out{.type = inputs[1]->type, .dims = dims, .values = {}};
    out.values.assign(element_count(dims), inputs[1]->values[0]);
    return Outputs(std::move(out));
}

Evaluation evaluate_range(Operation& /*op*/, const Literals& inputs) {
    if (inputs.size() != 3 || inputs[0]->values.size() != 1 || inputs[1]->values.size() != 1 ||
        inputs[2]->values.size() != 1) {
        return fail(ErrorCode::Parse, "a range needs start, limit and step");
    }
    const double start = inputs[0]->values[0];
    const double step = inputs[2]->values[0];
    const double count = std::ceil((inputs[1]->values[0] - start) / step);
    if (!std::isfinite(count)) {
        return fail(ErrorCode::Parse, "a range without an end");
    }
    if (count > static_cast<double>(kMaxLiteral)) {
        return std::nullopt;
    }
    Literal out{.type = inputs[0]->type, .dims = {}, .values = {}};
    for (double i = 0.0; i < count; ++i) {
        out.values.push_back(start + i * step);
    }
    out.dims = {static_cast<std::int64_t>(out.values.size())};
    return Outputs(std::move(out));
}

Evaluation evaluate_shape(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    return Outputs(Literal{.dims = {static_cast<std::int64_t>(dims.size())},
                           .values = {dims.begin(), dims.end()}});
}

Evaluation evaluate_size(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    return Outputs(Literal{.dims = {}, .values = {static_cast<double>(element_count(dims))}});
}

Evaluation evaluate_rank(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    return Outputs(Literal{.dims = {}, .values = {static_cast<double>(dims.size())}});
}

// Operators whose result follows from shapes alone.
struct ShapeRow {
    std::string_view op;
    Evaluation (*evaluate)(Operation&);
};
constexpr ShapeRow kOfShapes[] = {
    {"Rank", evaluate_rank},
    {"Shape", evaluate_shape},
    {"Size", evaluate_size},
};

// Operators that take literals, beside the element-wise ones.
struct LiteralRow {
    std::string_view op;
    std::size_t inputs; // at least
    Evaluation (*evaluate)(Operation&, const Literals&);
};
constexpr LiteralRow kOfLiterals[] = {
    {"Cast", 1, evaluate_cast},
    {"ConcatV2", 2, evaluate_concat},
    {"ExpandDims", 2, evaluate_expand_dims},
    {"Fill", 2, evaluate_fill},
    {"GatherV2", 3, evaluate_gather},
    {"Identity", 1, evaluate_identity},
    {"Max", 2, evaluate_max},
    {"Min", 2, evaluate_min},
    {"Pack", 1, evaluate_pack},
    {"Prod", 2, evaluate_prod},
    {"Range", 3, evaluate_range},
    {"Reshape", 2, evaluate_reshape},
    {"Squeeze", 1, evaluate_squeeze},
    {"StridedSlice", 4, evaluate_strided_slice},
    {"Sum", 2, evaluate_sum},
    {"Unpack", 1, evaluate_unpack},
};

} // namespace

std::size_t element_count(std::span<const std::int64_t> dims) {
    return std::accumulate(dims.begin(), dims.end(), std::size_t{1}, [](std::size_t n, auto dim) {
        return n * static_cast<std::size_t>(dim);
    });
}

bool fits_literal(std::span<const std::int64_t> dims) {
    std::size_t count = 1;
    for (const std::int64_t dim : dims) {
        if (dim < 0 || static_cast<std::size_t>(dim) > kMaxLiteral) {
            return false;
        }
        count *= static_cast<std::size_t>(dim);
        if (count > kMaxLiteral) {
            return false;
        }
    }
    return true;
}

Evaluation evaluate(Operation& op) {
    const std::string_view kind = op.node().op;
    if (const auto* row = std::ranges::find(kOfShapes, kind, &ShapeRow::op);
        row != std::end(kOfShapes)) {
        return row->evaluate(op);
    }
    const bool element_wise = is_element_wise(kind);
    const auto* const row = std::ranges::find(kOfLiterals, kind, &LiteralRow::op);
    if (!element_wise && row == std::end(kOfLiterals)) {
        return std::nullopt;
    }
    Literals inputs;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(inputs.emplace_back(), op.find_literal(i));
        if (inputs.back() == nullptr) {
            return std::nullopt;
        }
    }
    if (element_wise) {
        return evaluate_element_wise(kind, inputs);
    }
    if (inputs.size() < row->inputs) {
        return fail(ErrorCode::Parse, "{} inputs are too few", inputs.size());
    }
    return row->evaluate(op, inputs);
}

} // namespace sluice::models::tfjs
