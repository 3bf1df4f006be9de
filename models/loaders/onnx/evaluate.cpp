// SPDX-License-Identifier: Apache-2.0
// Evaluation of shapes, constants and ranges.
#include "models/loaders/onnx/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"
#include "models/loaders/onnx/tensor.h"

namespace sluice::models::onnx {

using schema::Tensor;

Result<std::optional<std::vector<LiteralPtr>>> known_inputs(Operation& op) {
    std::vector<LiteralPtr> out;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        if (!op.has_input(i)) {
            out.emplace_back();
            continue;
        }
        if (!op.is_literal(i)) {
            return std::optional<std::vector<LiteralPtr>>();
        }
        SLUICE_TRY_ASSIGN(out.emplace_back(), op.literal(i));
    }
    return std::optional(std::move(out));
}

Result<std::optional<Literal>> blank(Operation& op, ElementType type,
                                     std::vector<std::int64_t> dims) {
    SLUICE_TRY_ASSIGN(const std::size_t count, element_count(dims));
    if (count > kMaxLiteral) {
        return std::optional<Literal>();
    }
    SLUICE_TRY(op.budget().take(count * sizeof(std::int64_t)));
    return std::optional(Literal::of(type, std::move(dims)));
}

// The value is one tensor, or a number or a list in an attribute of its own.
Evaluation evaluate_constant(Operation& op) {
    SLUICE_TRY_ASSIGN(const Tensor* stored, op.tensor("value"));
    if (stored != nullptr) {
        return Outputs(std::vector<Output>{stored});
    }
    if (op.has("value_int")) {
        SLUICE_TRY_ASSIGN(const std::int64_t value, op.integer("value_int", 0));
        return Outputs(
            Literal{.type = Tensor::INT64, .dims = {}, .integers = {value}, .reals = {}});
    }
    if (op.has("value_float")) {
        SLUICE_TRY_ASSIGN(const double value, op.real("value_float", 0.0));
        return Outputs(
            Literal{.type = Tensor::FLOAT, .dims = {}, .integers = {}, .reals = {value}});
    }
    if (op.has("value_ints")) {
        SLUICE_TRY_ASSIGN(Dims values, op.integer_list("value_ints"));
        return Outputs(Literal::list(std::move(values)));
    }
    if (op.has("value_floats")) {
        SLUICE_TRY_ASSIGN(std::vector<double> values, op.real_list("value_floats"));
        const auto count = static_cast<std::int64_t>(values.size());
        return Outputs(Literal{
            .type = Tensor::FLOAT, .dims = {count}, .integers = {}, .reals = std::move(values)});
    }
    return fail(ErrorCode::Unsupported, "a constant of text, or a sparse one");
}

Evaluation evaluate_shape(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    const auto rank = static_cast<std::int64_t>(dims.size());
    SLUICE_TRY_ASSIGN(std::int64_t start, op.integer("start", 0));
    SLUICE_TRY_ASSIGN(std::int64_t end, op.integer("end", rank));
    const auto resolve = [rank](std::int64_t at) {
        return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    start = resolve(start);
    end = std::max(start, resolve(end));
    return Outputs(Literal::list({dims.begin() + start, dims.begin() + end}));
}

Evaluation evaluate_size(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    SLUICE_TRY_ASSIGN(const std::size_t count, element_count(dims));
    return Outputs(Literal{.type = Tensor::INT64,
                           .dims = {},
                           .integers = {static_cast<std::int64_t>(count)},
                           .reals = {}});
}

// Large ones are left to the mapping, which lets the graph expand a scalar.
Evaluation evaluate_constant_of_shape(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.integers(0));
    Literal value{.type = Tensor::FLOAT, .dims = {1}, .integers = {}, .reals = {0.0}};
    SLUICE_TRY_ASSIGN(const Tensor* stored, op.tensor("value"));
    if (stored != nullptr) {
        SLUICE_TRY_ASSIGN(value, read_literal(op.translation().source, *stored));
    }
    if (value.size() != 1) {
        return fail(ErrorCode::Parse, "a value of {} elements, one is needed", value.size());
    }
    SLUICE_TRY_ASSIGN(auto out, blank(op, value.type, dims));
    if (!out) {
        return std::optional<Outputs>();
    }
    for (std::size_t i = 0; i < out->size(); ++i) {
        out->copy(i, value, 0);
    }
    return Outputs(std::move(*out));
}

Evaluation evaluate_range(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr start, op.literal(0));
    SLUICE_TRY_ASSIGN(const double first, op.scalar(0));
    SLUICE_TRY_ASSIGN(const double limit, op.scalar(1));
    SLUICE_TRY_ASSIGN(const double step, op.scalar(2));
    const double count = std::max(0.0, std::ceil((limit - first) / step));
    if (!(count <= static_cast<double>(kMaxLiteral))) {
        return fail(ErrorCode::Unsupported, "from {} to {} by {}, more than {} elements", first,
                    limit, step, kMaxLiteral);
    }
    SLUICE_TRY_ASSIGN(auto out, blank(op, start->type, {static_cast<std::int64_t>(count)}));
    for (std::size_t i = 0; out && i < out->size(); ++i) {
        if (out->real()) {
            out->reals[i] = first + static_cast<double>(i) * step;
        } else {
            out->integers[i] =
                start->integers[0] + static_cast<std::int64_t>(i) * static_cast<std::int64_t>(step);
        }
    }
    if (out) {
        convert(*out, start->type);
    }
    return out ? std::optional<Outputs>(std::move(*out)) : std::nullopt;
}

} // namespace sluice::models::onnx
