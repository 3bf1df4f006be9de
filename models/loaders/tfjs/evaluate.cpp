// SPDX-License-Identifier: Apache-2.0
// Evaluation of small tensors.
#include "models/loaders/tfjs/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tfjs/mappings.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

using graph::DataType;
using Dims = std::vector<std::int64_t>;
using Evaluation = Result<std::optional<Outputs>>;
using Literals = std::vector<LiteralPtr>;

std::size_t count_of(std::span<const std::int64_t> dims) {
    // Of tensors that exist, or that were checked against kMaxLiteral.
    return std::accumulate(dims.begin(), dims.end(), std::size_t{1}, [](std::size_t n, auto dim) {
        return n * static_cast<std::size_t>(dim);
    });
}

// Whether a tensor of these dimensions may be a literal.
bool fits(std::span<const std::int64_t> dims) {
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

// Rounds to what the type holds.
double narrowed(DataType type, double value) {
    switch (type) {
    case DataType::Float32: return static_cast<double>(static_cast<float>(value));
    case DataType::Uint8: return value != 0.0 && std::isfinite(value) ? std::trunc(value) : 0.0;
    default: return std::isfinite(value) ? std::trunc(value) : 0.0;
    }
}

// --- Element by element ---

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

Evaluation evaluate_binary(const BinaryRow& row, const Literals& inputs) {
    if (inputs.size() != 2) {
        return fail(ErrorCode::Parse, "{} inputs, two are needed", inputs.size());
    }
    const Literal& a = *inputs[0];
    const Literal& b = *inputs[1];
    const auto dims = broadcast(a.dims, b.dims);
    if (!dims || !fits(*dims)) {
        return std::nullopt;
    }
    Literal out{.type = row.is_test ? DataType::Uint8 : a.type, .dims = *dims, .values = {}};
    const auto strides_a = broadcast_strides(a.dims, dims->size());
    const auto strides_b = broadcast_strides(b.dims, dims->size());
    const std::size_t count = count_of(*dims);
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

// --- Of all elements ---

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

// --- Moves ---

// x under other dimensions.
Outputs under(const Literal& x, Dims dims) {
    return Literal{.type = x.type, .dims = std::move(dims), .values = x.values};
}

Evaluation evaluate_reshape(const Literals& inputs) {
    const Literal& x = *inputs[0];
    if (inputs[1]->values.size() > graph::kMaxRank) {
        return std::nullopt;
    }
    Dims dims;
    std::int64_t known = 1; // at most kMaxLiteral to the power of kMaxRank
    for (const double value : inputs[1]->values) {
        dims.push_back(static_cast<std::int64_t>(value));
        known *= dims.back() == -1 ? 1 : std::clamp<std::int64_t>(dims.back(), 0, kMaxLiteral);
    }
    for (std::int64_t& dim : dims) {
        if (dim == -1 && known > 0) {
            dim = static_cast<std::int64_t>(x.values.size()) / known;
        }
    }
    if (!fits(dims) || count_of(dims) != x.values.size()) {
        return fail(ErrorCode::Parse, "{} elements do not fit the shape asked for",
                    x.values.size());
    }
    return under(x, std::move(dims));
}

Evaluation evaluate_expand_dims(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(1));
    SLUICE_TRY_ASSIGN(const auto at, tensorflow::axis_of(axis, inputs[0]->dims.size() + 1));
    Dims dims = inputs[0]->dims;
    dims.insert(dims.begin() + at, 1);
    return under(*inputs[0], std::move(dims));
}

Evaluation evaluate_squeeze(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integer_list("squeeze_dims"));
    const Dims& from = inputs[0]->dims;
    std::vector<bool> removed(from.size(), false);
    for (const std::int64_t value : listed) {
        SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(value, from.size()));
        removed[axis] = true;
    }
    Dims dims;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (!(listed.empty() ? from[i] == 1 : removed[i])) {
            dims.push_back(from[i]);
        }
    }
    return count_of(dims) == inputs[0]->values.size()
               ? Evaluation(under(*inputs[0], std::move(dims)))
               : fail(ErrorCode::Parse, "a dimension to remove is not 1");
}

// The pieces one behind the other along `axis` of their (equal) other dimensions.
Evaluation join(std::span<const LiteralPtr> pieces, std::int64_t along) {
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    Dims dims = pieces[0]->dims;
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(along, dims.size()));
    const std::size_t outer = count_of(std::span(dims).first(axis));
    dims[axis] = 0;
    for (const LiteralPtr& piece : pieces) {
        if (piece->dims.size() != dims.size()) {
            return fail(ErrorCode::Parse, "pieces of {} and {} dimensions", dims.size(),
                        piece->dims.size());
        }
        dims[axis] += piece->dims[axis];
    }
    if (!fits(dims) || outer == 0) {
        return std::nullopt;
    }
    Literal out{.type = pieces[0]->type, .dims = dims, .values = {}};
    for (std::size_t i = 0; i < outer; ++i) {
        for (const LiteralPtr& piece : pieces) {
            const std::size_t run = piece->values.size() / outer;
            const auto from = piece->values.begin() + static_cast<std::ptrdiff_t>(i * run);
            out.values.insert(out.values.end(), from, from + static_cast<std::ptrdiff_t>(run));
        }
    }
    if (out.values.size() != count_of(dims)) {
        return fail(ErrorCode::Parse, "pieces of different shapes");
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_pack(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    Literals wider;
    for (const LiteralPtr& input : inputs) {
        Dims dims = input->dims;
        SLUICE_TRY_ASSIGN(const auto at, tensorflow::axis_of(axis, dims.size() + 1));
        dims.insert(dims.begin() + at, 1);
        wider.push_back(std::get<LiteralPtr>(under(*input, std::move(dims)).all[0]));
    }
    return join(wider, axis);
}

Evaluation evaluate_unpack(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    if (x.dims.size() != 1 || axis != 0) {
        return std::nullopt;
    }
    std::vector<Output> out;
    for (const double value : x.values) {
        out.emplace_back(std::make_shared<const Literal>(
            Literal{.type = x.type, .dims = {}, .values = {value}}));
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_gather(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const std::int64_t batches, op.attribute("batch_dims", 0));
    if (x.dims.size() != 1 || batches != 0) {
        return std::nullopt;
    }
    Literal out{.type = x.type, .dims = inputs[1]->dims, .values = {}};
    for (const double index : inputs[1]->values) {
        if (!(index >= 0.0 && index < static_cast<double>(x.values.size()))) {
            return fail(ErrorCode::Parse, "index {} of {} elements", index, x.values.size());
        }
        out.values.push_back(x.values[static_cast<std::size_t>(index)]);
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_strided_slice(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const tensorflow::StridedSlice slice, strided_slice_of(op));
    std::vector<std::uint32_t> shape(x.dims.begin(), x.dims.end());
    if (std::ranges::contains(shape, 0U)) {
        return std::nullopt;
    }
    SLUICE_TRY_ASSIGN(const tensorflow::ResolvedSlice taken, tensorflow::resolve(slice, shape));
    Literal out{.type = x.type, .dims = {taken.dims.begin(), taken.dims.end()}, .values = {}};
    // Every element of x, in order, that lies in all ranges.
    for (std::size_t i = 0; i < x.values.size(); ++i) {
        std::size_t rest = i;
        bool inside = true;
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            const auto at = static_cast<std::uint32_t>(rest % shape[axis]);
            const tensorflow::SliceRange& range = taken.ranges[axis];
            inside = inside && at >= range.start && at - range.start < range.size &&
                     (at - range.start) % range.stride == 0;
            rest /= shape[axis];
        }
        if (inside) {
            out.values.push_back(x.values[i]);
        }
    }
    return Outputs(std::move(out));
}

// --- Tensors of nothing ---

Evaluation evaluate_fill(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(Dims dims, op.integers(0));
    if (!fits(dims) || inputs[1]->values.size() != 1) {
        return std::nullopt;
    }
    Literal out{.type = inputs[1]->type, .dims = dims, .values = {}};
    out.values.assign(count_of(dims), inputs[1]->values[0]);
    return Outputs(std::move(out));
}

Evaluation evaluate_range(const Literals& inputs) {
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

Evaluation evaluate_cast(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const DataType to, op.type("DstT"));
    Literal out{.type = to, .dims = inputs[0]->dims, .values = {}};
    for (const double value : inputs[0]->values) {
        const bool truth = op.is_bool("DstT");
        out.values.push_back(truth ? (value != 0.0 ? 1.0 : 0.0) : narrowed(to, value));
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_shape(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    return Outputs(Literal{.dims = {static_cast<std::int64_t>(dims.size())},
                           .values = {dims.begin(), dims.end()}});
}

Evaluation evaluate_size(Operation& op) {
    SLUICE_TRY_ASSIGN(const Dims dims, op.dims(0));
    return Outputs(Literal{.dims = {}, .values = {static_cast<double>(count_of(dims))}});
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

// Operators that take literals.
struct MoveRow {
    std::string_view op;
    std::size_t inputs; // at least
    Evaluation (*evaluate)(Operation&, const Literals&);
};
constexpr MoveRow kMoves[] = {
    {"Cast", 1, evaluate_cast},
    {"ConcatV2", 2,
     [](Operation& op, const Literals& inputs) -> Evaluation {
         SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(inputs.size() - 1));
         return join(std::span(inputs).first(inputs.size() - 1), axis);
     }},
    {"ExpandDims", 2, evaluate_expand_dims},
    {"Fill", 2, evaluate_fill},
    {"GatherV2", 3, evaluate_gather},
    {"Identity", 1,
     [](Operation&, const Literals& inputs) -> Evaluation {
         return under(*inputs[0], inputs[0]->dims);
     }},
    {"Max", 2,
     [](Operation& op, const Literals& inputs) {
         return evaluate_fold(
             op, inputs, [](double a, double b) { return std::max(a, b); }, -HUGE_VAL);
     }},
    {"Min", 2,
     [](Operation& op, const Literals& inputs) {
         return evaluate_fold(
             op, inputs, [](double a, double b) { return std::min(a, b); }, HUGE_VAL);
     }},
    {"Pack", 1, evaluate_pack},
    {"Prod", 2,
     [](Operation& op, const Literals& inputs) {
         return evaluate_fold(op, inputs, [](double a, double b) { return a * b; }, 1.0);
     }},
    {"Range", 3, [](Operation&, const Literals& inputs) { return evaluate_range(inputs); }},
    {"Reshape", 2, [](Operation&, const Literals& inputs) { return evaluate_reshape(inputs); }},
    {"Squeeze", 1, evaluate_squeeze},
    {"StridedSlice", 4, evaluate_strided_slice},
    {"Sum", 2,
     [](Operation& op, const Literals& inputs) {
         return evaluate_fold(op, inputs, [](double a, double b) { return a + b; }, 0.0);
     }},
    {"Unpack", 1, evaluate_unpack},
};

template <typename Rows>
const auto* find_row(const Rows& rows, std::string_view op) {
    const auto* const found =
        std::ranges::find_if(rows, [&](const auto& row) { return row.op == op; });
    return found == std::end(rows) ? nullptr : found;
}

} // namespace

Result<std::optional<Outputs>> evaluate(Operation& op) {
    const std::string_view kind = op.node().op;
    if (const auto* row = find_row(kOfShapes, kind); row != nullptr) {
        return row->evaluate(op);
    }
    const auto* const binary = find_row(kBinaries, kind);
    const auto* const unary = find_row(kUnaries, kind);
    const auto* const move = find_row(kMoves, kind);
    if (binary == nullptr && unary == nullptr && move == nullptr) {
        return std::nullopt;
    }
    Literals inputs;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(inputs.emplace_back(), op.find_literal(i));
        if (inputs.back() == nullptr) {
            return std::nullopt;
        }
    }
    if (binary != nullptr) {
        return evaluate_binary(*binary, inputs);
    }
    if (inputs.size() < (move != nullptr ? move->inputs : 1)) {
        return fail(ErrorCode::Parse, "{} inputs are too few", inputs.size());
    }
    if (move != nullptr) {
        return move->evaluate(op, inputs);
    }
    Literal out{.type = inputs[0]->type, .dims = inputs[0]->dims, .values = {}};
    for (const double value : inputs[0]->values) {
        out.values.push_back(narrowed(out.type, unary->function(value)));
    }
    return Outputs(std::move(out));
}

} // namespace sluice::models::tfjs
