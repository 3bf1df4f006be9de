// SPDX-License-Identifier: Apache-2.0
// Evaluation of arithmetic, in double and rounded once to what the type holds.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "models/loaders/tfjs/evaluate.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

using graph::DataType;
using Dims = std::vector<std::int64_t>;

// Rounds to what the type holds.
double narrowed(DataType type, double value) {
    switch (type) {
    case DataType::Float32: return static_cast<double>(static_cast<float>(value));
    case DataType::Uint8: return value != 0.0 && std::isfinite(value) ? std::trunc(value) : 0.0;
    default: return std::isfinite(value) ? std::trunc(value) : 0.0;
    }
}

// Row-major strides of `dims` for a result of `rank` dimensions, 0 where it is repeated.
std::vector<std::size_t> broadcast_strides(const Dims& dims, std::size_t rank) {
    std::vector<std::size_t> strides(rank, 0);
    std::size_t stride = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const std::size_t axis = dims.size() - 1 - i;
        strides[rank - 1 - i] = dims[axis] == 1 ? 0 : stride;
        stride *= static_cast<std::size_t>(dims[axis]);
    }
    return strides;
}

std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
    Dims out(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
        const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) {
            return std::nullopt;
        }
        out[out.size() - 1 - i] = x == 1 ? y : x;
    }
    return out;
}

using Binary = double (*)(double, double);

struct BinaryRow {
    std::string_view op;
    Binary function;
    bool is_test = false; // the result is a truth value
};
double floor_div(double a, double b) {
    return std::floor(a / b);
}
double floor_mod(double a, double b) {
    return a - std::floor(a / b) * b;
}
constexpr BinaryRow kBinaries[] = {
    {"Add", [](double a, double b) { return a + b; }},
    {"AddV2", [](double a, double b) { return a + b; }},
    {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }, true},
    {"FloorDiv", floor_div},
    {"FloorMod", floor_mod},
    {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }, true},
    {"GreaterEqual", [](double a, double b) { return a >= b ? 1.0 : 0.0; }, true},
    {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }, true},
    {"LessEqual", [](double a, double b) { return a <= b ? 1.0 : 0.0; }, true},
    {"LogicalAnd", [](double a, double b) { return a != 0.0 && b != 0.0 ? 1.0 : 0.0; }, true},
    {"LogicalOr", [](double a, double b) { return a != 0.0 || b != 0.0 ? 1.0 : 0.0; }, true},
    {"Maximum", [](double a, double b) { return std::max(a, b); }},
    {"Minimum", [](double a, double b) { return std::min(a, b); }},
    {"Mul", [](double a, double b) { return a * b; }},
    {"NotEqual", [](double a, double b) { return a != b ? 1.0 : 0.0; }, true},
    {"RealDiv", [](double a, double b) { return a / b; }},
    {"Sub", [](double a, double b) { return a - b; }},
};

struct UnaryRow {
    std::string_view op;
    double (*function)(double);
};
constexpr UnaryRow kUnaries[] = {
    {"Abs", [](double x) { return std::abs(x); }},
    {"Ceil", [](double x) { return std::ceil(x); }},
    {"Floor", [](double x) { return std::floor(x); }},
    {"LogicalNot", [](double x) { return x == 0.0 ? 1.0 : 0.0; }},
    {"Neg", [](double x) { return -x; }},
    {"OnesLike", [](double) { return 1.0; }},
    {"Reciprocal", [](double x) { return 1.0 / x; }},
    {"ZerosLike", [](double) { return 0.0; }},
};

template <typename Row, std::size_t kCount>
const Row* find_row(const Row (&rows)[kCount], std::string_view op) {
    const Row* const found = std::ranges::find(rows, op, &Row::op);
    return found == std::end(rows) ? nullptr : found;
}

Evaluation evaluate_binary(const BinaryRow& row, const Literals& inputs) {
    if (inputs.size() != 2) {
        return fail(ErrorCode::Parse, "{} inputs, two are needed", inputs.size());
    }
    const Literal& a = *inputs[0];
    const Literal& b = *inputs[1];
    const auto dims = broadcast(a.dims, b.dims);
    if (!dims || !fits_literal(*dims)) {
        return std::nullopt;
    }
    Literal out{.type = row.is_test ? DataType::Uint8 : a.type, .dims = *dims, .values = {}};
    const auto strides_a = broadcast_strides(a.dims, dims->size());
    const auto strides_b = broadcast_strides(b.dims, dims->size());
    const std::size_t count = element_count(*dims);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t rest = i;
        std::size_t at_a = 0;
        std::size_t at_b = 0;
        for (std::size_t axis = dims->size(); axis-- > 0;) {
            const auto size = static_cast<std::size_t>((*dims)[axis]);
            at_a += rest % size * strides_a[axis];
            at_b += rest % size * strides_b[axis];
            rest /= size;
        }
        out.values.push_back(narrowed(out.type, row.function(a.values[at_a], b.values[at_b])));
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_unary(const UnaryRow& row, const Literals& inputs) {
    if (inputs.empty()) {
        return fail(ErrorCode::Parse, "0 inputs are too few");
    }
    Literal out{.type = inputs[0]->type, .dims = inputs[0]->dims, .values = {}};
    for (const double value : inputs[0]->values) {
        out.values.push_back(narrowed(out.type, row.function(value)));
    }
    return Outputs(std::move(out));
}

// Of all elements.
Evaluation evaluate_fold(Operation& op, const Literals& inputs, Binary fold, double start) {
    const Literal& x = *inputs[0];
    const bool all = inputs.size() == 2 && inputs[1]->values.size() == x.dims.size();
    if (!all) {
        return std::nullopt; // along some axes only: for the graph
    }
    const double result = std::accumulate(x.values.begin(), x.values.end(), start, fold);
    return Outputs(Literal{
        .type = x.type,
        .dims = op.flag("keep_dims") ? Dims(x.dims.size(), 1) : Dims{},
        .values = {narrowed(x.type, x.values.empty() && std::isinf(start) ? 0.0 : result)}});
}

} // namespace

bool is_element_wise(std::string_view op) {
    return find_row(kBinaries, op) != nullptr || find_row(kUnaries, op) != nullptr;
}

Evaluation evaluate_element_wise(std::string_view op, const Literals& inputs) {
    const auto* const binary = find_row(kBinaries, op);
    return binary != nullptr ? evaluate_binary(*binary, inputs)
                             : evaluate_unary(*find_row(kUnaries, op), inputs);
}

Evaluation evaluate_cast(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const DataType to, op.type("DstT"));
    Literal out{.type = to, .dims = inputs[0]->dims, .values = {}};
    for (const double value : inputs[0]->values) {
        const bool truth = op.is_bool("DstT");
        out.values.push_back(truth ? (value != 0.0 ? 1.0 : 0.0) : narrowed(to, value));
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_max(Operation& op, const Literals& inputs) {
    return evaluate_fold(op, inputs, [](double a, double b) { return std::max(a, b); }, -HUGE_VAL);
}

Evaluation evaluate_min(Operation& op, const Literals& inputs) {
    return evaluate_fold(op, inputs, [](double a, double b) { return std::min(a, b); }, HUGE_VAL);
}

Evaluation evaluate_prod(Operation& op, const Literals& inputs) {
    return evaluate_fold(op, inputs, [](double a, double b) { return a * b; }, 1.0);
}

Evaluation evaluate_sum(Operation& op, const Literals& inputs) {
    return evaluate_fold(op, inputs, [](double a, double b) { return a + b; }, 0.0);
}

} // namespace sluice::models::tfjs
