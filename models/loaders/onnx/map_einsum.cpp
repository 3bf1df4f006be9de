// SPDX-License-Identifier: Apache-2.0
// Einsum of one or two tensors: sums, transpositions and a batched matrix product.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/reduce.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

// A tensor whose axes have letters.
struct Term {
    OperandId x;
    std::string axes;

    [[nodiscard]] bool has(char axis) const { return axes.contains(axis); }
};

struct Equation {
    std::vector<std::string> inputs;
    std::string output;
};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<Equation> parse(std::string text) {
    std::erase(text, ' ');
    const std::size_t arrow = text.find("->");
    std::string_view left = std::string_view(text).substr(0, arrow);
    Equation out;
    for (std::size_t comma = left.find(','); comma != std::string_view::npos;
         comma = left.find(',')) {
        out.inputs.emplace_back(left.substr(0, comma));
        left.remove_prefix(comma + 1);
    }
    out.inputs.emplace_back(left);
    std::string all;
    for (const std::string& input : out.inputs) {
        all += input;
    }
    if (arrow != std::string::npos) {
        out.output = text.substr(arrow + 2);
    } else { // those that occur once, in alphabetical order
        std::ranges::copy_if(all, std::back_inserter(out.output),
                             [&](char c) { return std::ranges::count(all, c) == 1; });
        std::ranges::sort(out.output);
    }
    if (!std::ranges::all_of(all + out.output, is_letter)) {
        return fail(ErrorCode::Unsupported, "the equation '{}': only letters are supported", text);
    }
    return out;
}

bool repeats(const std::string& axes) {
    return std::ranges::any_of(axes, [&](char c) { return std::ranges::count(axes, c) > 1; });
}

// Axes in the wanted order; `order` holds each of the term's letters once.
Result<Term> permuted(Operation& op, const Term& term, const std::string& order) {
    if (term.axes == order) {
        return term;
    }
    std::vector<std::uint32_t> permutation;
    for (const char c : order) {
        permutation.push_back(static_cast<std::uint32_t>(term.axes.find(c)));
    }
    SLUICE_TRY_ASSIGN(const OperandId x,
                      op.build().transpose(term.x, std::move(permutation), op.label()));
    return Term{.x = x, .axes = order};
}

// Sums over the axes that `keep` does not name.
Result<Term> summed(Operation& op, const Term& term, const std::string& keep) {
    std::vector<std::uint32_t> axes;
    std::string rest;
    for (std::size_t i = 0; i < term.axes.size(); ++i) {
        if (keep.contains(term.axes[i])) {
            rest += term.axes[i];
        } else {
            axes.push_back(static_cast<std::uint32_t>(i));
        }
    }
    if (axes.empty()) {
        return term;
    }
    SLUICE_TRY_ASSIGN(const OperandId x,
                      op.build().reduce(ops::ReduceKind::Sum, term.x, axes, false, op.label()));
    return Term{.x = x, .axes = rest};
}

// Dimensions of a group of letters.
std::uint32_t size_of(Operation& op, const Term& term, const std::string& letters) {
    std::uint32_t size = 1;
    for (const char c : letters) {
        size *= op.shape(term.x)[term.axes.find(c)]; // factors of a tensor's element count
    }
    return size;
}

// [batch, rows, inner] x [batch, inner, columns]
Result<Term> product(Operation& op, const Term& a, const Term& b, const std::string& output) {
    std::string batch;
    std::string inner;
    std::string rows;
    std::string columns;
    for (const char c : a.axes) {
        (b.has(c) ? (output.contains(c) ? batch : inner) : rows) += c;
    }
    std::ranges::copy_if(b.axes, std::back_inserter(columns), [&](char c) { return !a.has(c); });
    for (const char c : batch + inner) {
        if (op.shape(a.x)[a.axes.find(c)] != op.shape(b.x)[b.axes.find(c)]) {
            return fail(ErrorCode::Parse, "axis '{}' has two sizes", c);
        }
    }
    SLUICE_TRY_ASSIGN(const Term left, permuted(op, a, batch + rows + inner));
    SLUICE_TRY_ASSIGN(const Term right, permuted(op, b, batch + inner + columns));
    const std::uint32_t batch_size = size_of(op, left, batch);
    const std::uint32_t row_size = size_of(op, left, rows);
    const std::uint32_t inner_size = size_of(op, left, inner);
    const std::uint32_t column_size = size_of(op, right, columns);
    Shape shape;
    for (const char c : batch + rows) {
        shape.push_back(op.shape(left.x)[left.axes.find(c)]);
    }
    if (shape.rank() + columns.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "more than {} dimensions", graph::kMaxRank);
    }
    for (const char c : columns) {
        shape.push_back(op.shape(right.x)[right.axes.find(c)]);
    }
    SLUICE_TRY_ASSIGN(const OperandId flat_left,
                      op.reshaped(left.x, Shape{batch_size, row_size, inner_size}));
    SLUICE_TRY_ASSIGN(const OperandId flat_right,
                      op.reshaped(right.x, Shape{batch_size, inner_size, column_size}));
    SLUICE_TRY_ASSIGN(const OperandId flat, op.build().matmul(flat_left, flat_right, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId x, op.reshaped(flat, shape));
    return Term{.x = x, .axes = batch + rows + columns};
}

} // namespace

Result<Outputs> map_einsum(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string text, op.text("equation", ""));
    SLUICE_TRY_ASSIGN(const Equation equation, parse(text));
    if (equation.inputs.size() != op.input_count() || op.input_count() > 2) {
        return fail(ErrorCode::Unsupported,
                    "the equation '{}' of {} tensors, at most 2 are supported", text,
                    op.input_count());
    }
    std::vector<Term> terms;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(const OperandId x, op.input(i));
        terms.push_back({.x = x, .axes = equation.inputs[i]});
        if (op.shape(x).rank() != equation.inputs[i].size()) {
            return fail(ErrorCode::Parse, "the equation '{}' for {} dimensions", text,
                        op.shape(x).rank());
        }
        if (repeats(equation.inputs[i]) || repeats(equation.output)) {
            return fail(ErrorCode::Unsupported, "the equation '{}', which takes a diagonal", text);
        }
    }
    const std::string others = terms.size() == 2 ? terms[1].axes : "";
    SLUICE_TRY_ASSIGN(Term result, summed(op, terms[0], equation.output + others));
    if (terms.size() == 2) {
        SLUICE_TRY_ASSIGN(const Term right, summed(op, terms[1], equation.output + result.axes));
        SLUICE_TRY_ASSIGN(result, product(op, result, right, equation.output));
    }
    if (result.axes.size() != equation.output.size() ||
        !std::ranges::all_of(equation.output, [&](char c) { return result.has(c); })) {
        return fail(ErrorCode::Parse, "the equation '{}' asks for axes that no input has", text);
    }
    SLUICE_TRY_ASSIGN(result, permuted(op, result, equation.output));
    return result.x;
}

} // namespace sluice::models::onnx
