// SPDX-License-Identifier: Apache-2.0
// Evaluation of arithmetic. Integers wrap as their type does; floats are computed in double and
// rounded once, which is exact for the operations here.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/onnx/evaluate.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"

namespace sluice::models::onnx {

using schema::Tensor;

namespace {

// Position of an index in a tensor with these strides.
std::size_t offset(std::span<const std::int64_t> index, const std::vector<std::size_t>& strides) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < index.size(); ++i) {
        at += static_cast<std::size_t>(index[i]) * strides[i];
    }
    return at;
}

// Two's complement arithmetic without the overflow that C++ leaves undefined.
std::int64_t wrap(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

std::int64_t compute(Arithmetic kind, std::int64_t a, std::int64_t b, bool truncating) {
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    switch (kind) {
    case Arithmetic::Add: return wrap(x + y);
    case Arithmetic::Sub: return wrap(x - y);
    case Arithmetic::Mul: return wrap(x * y);
    case Arithmetic::Div: return b == -1 ? wrap(0 - x) : a / b;
    case Arithmetic::Mod: {
        const std::int64_t rest = b == -1 ? 0 : a % b;
        return !truncating && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case Arithmetic::Min: return a < b ? a : b;
    case Arithmetic::Max: return a > b ? a : b;
    case Arithmetic::Equal: return a == b;
    case Arithmetic::Greater: return a > b;
    case Arithmetic::GreaterOrEqual: return a >= b;
    case Arithmetic::Less: return a < b;
    case Arithmetic::LessOrEqual: return a <= b;
    case Arithmetic::And: return a != 0 && b != 0;
    case Arithmetic::Or: return a != 0 || b != 0;
    case Arithmetic::Xor: return (a != 0) != (b != 0);
    }
    std::unreachable();
}

double compute(Arithmetic kind, double a, double b) {
    switch (kind) {
    case Arithmetic::Add: return a + b;
    case Arithmetic::Sub: return a - b;
    case Arithmetic::Mul: return a * b;
    case Arithmetic::Div: return a / b;
    case Arithmetic::Mod: return std::fmod(a, b);
    case Arithmetic::Min: return a < b ? a : b;
    case Arithmetic::Max: return a > b ? a : b;
    case Arithmetic::Equal: return a == b;
    case Arithmetic::Greater: return a > b;
    case Arithmetic::GreaterOrEqual: return a >= b;
    case Arithmetic::Less: return a < b;
    case Arithmetic::LessOrEqual: return a <= b;
    case Arithmetic::And: return a != 0 && b != 0;
    case Arithmetic::Or: return a != 0 || b != 0;
    case Arithmetic::Xor: return (a != 0) != (b != 0);
    }
    std::unreachable();
}

bool is_logical(Arithmetic kind) {
    return kind >= Arithmetic::Equal;
}

Result<std::optional<Literal>> combine(Operation& op, Arithmetic kind, const Literal& a,
                                       const Literal& b) {
    if (a.type != b.type) {
        return fail(ErrorCode::Parse, "operands of the types {} and {}", type_name(a.type),
                    type_name(b.type));
    }
    SLUICE_TRY_ASSIGN(const std::int64_t truncating, op.integer("fmod", 0));
    SLUICE_TRY_ASSIGN(const Dims dims, broadcast_dims(a.dims, b.dims));
    SLUICE_TRY_ASSIGN(auto out, blank(op, is_logical(kind) ? Tensor::BOOL : a.type, dims));
    if (!out) {
        return out;
    }
    const auto a_strides = broadcast_strides(a.dims, dims.size());
    const auto b_strides = broadcast_strides(b.dims, dims.size());
    std::size_t i = 0;
    bool by_zero = false;
    for_each_index(dims, [&](std::span<const std::int64_t> index) {
        const std::size_t x = offset(index, a_strides);
        const std::size_t y = offset(index, b_strides);
        if (a.real()) {
            const double value = compute(kind, a.reals[x], b.reals[y]);
            is_logical(kind) ? static_cast<void>(out->integers[i] = value != 0.0)
                             : static_cast<void>(out->reals[i] = value);
        } else if (b.integers[y] == 0 && (kind == Arithmetic::Div || kind == Arithmetic::Mod)) {
            by_zero = true;
        } else {
            out->integers[i] = compute(kind, a.integers[x], b.integers[y], truncating != 0);
        }
        ++i;
    });
    if (by_zero) {
        return fail(ErrorCode::Parse, "a division of integers by zero");
    }
    convert(*out, out->type);
    return out;
}

double apply(Function kind, double x) {
    switch (kind) {
    case Function::Abs: return std::fabs(x);
    case Function::Ceil: return std::ceil(x);
    case Function::Floor: return std::floor(x);
    case Function::Identity: return x;
    case Function::Neg: return -x;
    case Function::Not: return x == 0.0 ? 1.0 : 0.0;
    case Function::Sqrt: return std::sqrt(x);
    }
    std::unreachable();
}

std::int64_t apply(Function kind, std::int64_t x) {
    const std::int64_t negated = wrap(0 - static_cast<std::uint64_t>(x));
    switch (kind) {
    case Function::Abs: return x < 0 ? negated : x;
    case Function::Ceil:
    case Function::Floor:
    case Function::Sqrt:
    case Function::Identity: return x;
    case Function::Neg: return negated;
    case Function::Not: return x == 0;
    }
    std::unreachable();
}

} // namespace

Evaluation evaluate_arithmetic(Operation& op, Arithmetic kind) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->empty() || std::ranges::contains(*inputs, nullptr) ||
        (*inputs)[0]->type == Tensor::UINT64) {
        return std::optional<Outputs>();
    }
    Literal result = *(*inputs)[0];
    for (std::size_t i = 1; i < inputs->size(); ++i) {
        SLUICE_TRY_ASSIGN(auto next, combine(op, kind, result, *(*inputs)[i]));
        if (!next) {
            return std::optional<Outputs>();
        }
        result = std::move(*next);
    }
    return Outputs(std::move(result));
}

Evaluation evaluate_function(Operation& op, Function kind) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->size() != 1) {
        return std::optional<Outputs>();
    }
    if (kind == Function::Identity) {
        return Outputs(std::vector<Output>{(*inputs)[0]});
    }
    SLUICE_TRY(op.budget().take((*inputs)[0]->size() * sizeof(std::int64_t)));
    Literal out = *(*inputs)[0];
    for (double& value : out.reals) {
        value = apply(kind, value);
    }
    for (std::int64_t& value : out.integers) {
        value = apply(kind, value);
    }
    convert(out, out.type);
    return Outputs(std::move(out));
}

Evaluation evaluate_fold(Operation& op, Fold kind) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->empty() || (*inputs)[0] == nullptr || (*inputs)[0]->real()) {
        return std::optional<Outputs>(); // sums of floats depend on the order: the graph's matter
    }
    const Literal& x = *(*inputs)[0];
    SLUICE_TRY_ASSIGN(const std::int64_t keep, op.integer("keepdims", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t noop, op.integer("noop_with_empty_axes", 0));
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("axes", 1));
    SLUICE_TRY_ASSIGN(auto axes, axes_of(listed.value_or(Dims{}), x.rank()));
    if (axes.empty() && noop != 0) {
        return Outputs(std::vector<Output>{(*inputs)[0]});
    }
    Dims dims;
    std::vector<bool> reduced;
    for (std::size_t i = 0; i < x.rank(); ++i) {
        reduced.push_back(axes.empty() ||
                          std::ranges::contains(axes, static_cast<std::uint32_t>(i)));
        if (!reduced[i] || keep != 0) {
            dims.push_back(reduced[i] ? 1 : x.dims[i]);
        }
    }
    SLUICE_TRY_ASSIGN(auto out, blank(op, x.type, dims));
    if (!out || x.size() == 0) {
        return std::optional<Outputs>();
    }
    std::vector<bool> started(out->size(), false);
    std::size_t from = 0;
    for_each_index(x.dims, [&](std::span<const std::int64_t> index) {
        std::size_t to = 0;
        for (std::size_t i = 0; i < index.size(); ++i) {
            to = reduced[i] ? to
                            : to * static_cast<std::size_t>(x.dims[i]) +
                                  static_cast<std::size_t>(index[i]);
        }
        const std::int64_t value = x.integers[from++];
        std::int64_t& sum = out->integers[to];
        const auto fold = [&](Arithmetic function) { return compute(function, sum, value, false); };
        if (!started[to]) {
            sum = value;
            started[to] = true;
            return;
        }
        switch (kind) {
        case Fold::Max: sum = fold(Arithmetic::Max); break;
        case Fold::Min: sum = fold(Arithmetic::Min); break;
        case Fold::Product: sum = fold(Arithmetic::Mul); break;
        case Fold::Sum: sum = fold(Arithmetic::Add); break;
        }
    });
    convert(*out, out->type);
    return Outputs(std::move(*out));
}

Evaluation evaluate_cast(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->size() != 1) {
        return std::optional<Outputs>();
    }
    SLUICE_TRY_ASSIGN(const std::int64_t to, op.integer("to", 0));
    const bool known = std::in_range<std::int32_t>(to) &&
                       (data_type(static_cast<std::int32_t>(to)) || to == Tensor::DOUBLE);
    if (!known) {
        return std::optional<Outputs>();
    }
    SLUICE_TRY(op.budget().take((*inputs)[0]->size() * sizeof(std::int64_t)));
    Literal out = *(*inputs)[0];
    convert(out, static_cast<ElementType>(to));
    return Outputs(std::move(out));
}

Evaluation evaluate_where(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->size() != 3 || std::ranges::contains(*inputs, nullptr)) {
        return std::optional<Outputs>();
    }
    const Literal& condition = *(*inputs)[0];
    const Literal& yes = *(*inputs)[1];
    const Literal& no = *(*inputs)[2];
    if (condition.real() || yes.type != no.type) {
        return fail(ErrorCode::Parse, "a condition of {} between {} and {}",
                    type_name(condition.type), type_name(yes.type), type_name(no.type));
    }
    SLUICE_TRY_ASSIGN(const Dims both, broadcast_dims(yes.dims, no.dims));
    SLUICE_TRY_ASSIGN(const Dims dims, broadcast_dims(condition.dims, both));
    SLUICE_TRY_ASSIGN(auto out, blank(op, yes.type, dims));
    if (!out) {
        return std::optional<Outputs>();
    }
    const auto strides = broadcast_strides(condition.dims, dims.size());
    const auto yes_strides = broadcast_strides(yes.dims, dims.size());
    const auto no_strides = broadcast_strides(no.dims, dims.size());
    std::size_t to = 0;
    for_each_index(dims, [&](std::span<const std::int64_t> index) {
        if (condition.integers[offset(index, strides)] != 0) {
            out->copy(to++, yes, offset(index, yes_strides));
        } else {
            out->copy(to++, no, offset(index, no_strides));
        }
    });
    return Outputs(std::move(*out));
}

} // namespace sluice::models::onnx
