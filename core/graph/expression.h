// SPDX-License-Identifier: Apache-2.0
// Graphs written as formulas: relu(conv2d(x, w) + b).
//
//     const Expression x(builder, input), w(builder, weights), b(builder, bias);
//     const Result<OperandId> y = relu(conv2d(x, w) + b).id();
//
// A thin layer over GraphBuilder, whose rules, names, options and labels hold. Nothing is lost on
// the way: what is made of a failed expression is that failure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/builder.h"

namespace sluice::graph {

// An operand together with its builder, which must outlive it; or the error that kept it from being
// made. The functions are found by their arguments' type.
class Expression {
public:
    // An operand of the builder, or what one of its methods returned.
    Expression(GraphBuilder& builder, Result<OperandId> id)
        : builder_(&builder), id_(std::move(id)) {}

    [[nodiscard]] const Result<OperandId>& id() const { return id_; }

    // A scalar of this operand's type.
    [[nodiscard]] Expression scalar(double value) const {
        return then(
            [&](OperandId id) { return builder_->constant(builder_->desc(id).type(), value); });
    }

    // relu(x), sigmoid(x, label), ...; max(a, b), pow(a, b, label), ...: one of every row.
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    [[nodiscard]] friend Expression name(const Expression& x, std::string_view label = {}) {       \
        return x.then([&](OperandId id) { return x.builder_->name(id, label); });                  \
    }
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    [[nodiscard]] friend Expression name(const Expression& a, const Expression& b,                 \
                                         std::string_view label = {}) {                            \
        return a.with(b, [&](OperandId left, OperandId right) {                                    \
            return a.builder_->name(left, right, label);                                           \
        });                                                                                        \
    }
#include "core/ops/binary.def"
#include "core/ops/unary.def"
#undef SLUICE_UNARY
#undef SLUICE_BINARY

    // a + b, a + 0.5, 0.5 + b
#define SLUICE_OPERATOR(symbol, name)                                                              \
    [[nodiscard]] friend Expression operator symbol(const Expression& a, const Expression& b) {    \
        return name(a, b);                                                                         \
    }                                                                                              \
    [[nodiscard]] friend Expression operator symbol(const Expression& a, double b) {               \
        return name(a, a.scalar(b));                                                               \
    }                                                                                              \
    [[nodiscard]] friend Expression operator symbol(double a, const Expression& b) {               \
        return name(b.scalar(a), b);                                                               \
    }
    SLUICE_OPERATOR(+, add)
    SLUICE_OPERATOR(-, sub)
    SLUICE_OPERATOR(*, mul)
    SLUICE_OPERATOR(/, div)
#undef SLUICE_OPERATOR
    [[nodiscard]] friend Expression operator-(const Expression& x) { return neg(x); }

    // A function with parameters: clamp, elu, leaky_relu, linear, ...
    [[nodiscard]] friend Expression unary(const ops::Activation& function, const Expression& x,
                                          std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->unary(function, id, label); });
    }
    [[nodiscard]] friend Expression cast(const Expression& x, DataType to,
                                         std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->cast(id, to, label); });
    }
    // concat(std::vector{a, b}, 1), of at least one.
    [[nodiscard]] friend Expression concat(const std::vector<Expression>& inputs,
                                           std::uint32_t axis, std::string_view label = {}) {
        return joined(inputs, [&](std::span<const OperandId> ids) {
            return inputs.front().builder_->concat(ids, axis, label);
        });
    }
    // A bias is added: conv2d(x, w) + b with b of [channels] in NHWC, of [channels, 1, 1] in NCHW.
    [[nodiscard]] friend Expression conv2d(const Expression& x, const Expression& filter,
                                           const ops::Conv2d& options = {},
                                           std::string_view label = {}) {
        return x.with(filter, [&](OperandId id, OperandId weights) {
            return x.builder_->conv2d(id, weights, options, {}, label);
        });
    }
    [[nodiscard]] friend Expression conv_transpose2d(const Expression& x, const Expression& filter,
                                                     const ops::ConvTranspose2d& options = {},
                                                     std::string_view label = {}) {
        return x.with(filter, [&](OperandId id, OperandId weights) {
            return x.builder_->conv_transpose2d(id, weights, options, {}, label);
        });
    }
    [[nodiscard]] friend Expression expand(const Expression& x, const Shape& shape,
                                           std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->expand(id, shape, label); });
    }
    [[nodiscard]] friend Expression gather(const Expression& x, const Expression& indices,
                                           std::uint32_t axis = 0, std::string_view label = {}) {
        return x.with(indices, [&](OperandId id, OperandId picks) {
            return x.builder_->gather(id, picks, axis, label);
        });
    }
    [[nodiscard]] friend Expression gemm(const Expression& a, const Expression& b,
                                         const ops::Gemm& options = {},
                                         std::string_view label = {}) {
        return a.with(b, [&](OperandId left, OperandId right) {
            return a.builder_->gemm(left, right, options, {}, label);
        });
    }
    [[nodiscard]] friend Expression matmul(const Expression& a, const Expression& b,
                                           std::string_view label = {}) {
        return a.with(b, [&](OperandId left, OperandId right) {
            return a.builder_->matmul(left, right, label);
        });
    }
    [[nodiscard]] friend Expression pad(const Expression& x, const ops::Pad& options,
                                        std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->pad(id, options, label); });
    }
    [[nodiscard]] friend Expression pool2d(const Expression& x, const ops::Pool2d& options,
                                           std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->pool2d(id, options, label); });
    }
    [[nodiscard]] friend Expression
    reduce(ops::ReduceKind kind, const Expression& x,
           const std::optional<std::vector<std::uint32_t>>& axes = {}, bool keep_dimensions = false,
           std::string_view label = {}) {
        return x.then([&](OperandId id) {
            return x.builder_->reduce(kind, id, axes, keep_dimensions, label);
        });
    }
    [[nodiscard]] friend Expression resample2d(const Expression& x, const ops::Resample2d& options,
                                               std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->resample2d(id, options, label); });
    }
    [[nodiscard]] friend Expression reshape(const Expression& x, const Shape& shape,
                                            std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->reshape(id, shape, label); });
    }
    [[nodiscard]] friend Expression slice(const Expression& x, const ops::Slice& options,
                                          std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->slice(id, options, label); });
    }
    [[nodiscard]] friend Expression softmax(const Expression& x, std::uint32_t axis,
                                            std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->softmax(id, axis, label); });
    }
    [[nodiscard]] friend Expression transpose(const Expression& x,
                                              const std::vector<std::uint32_t>& permutation = {},
                                              std::string_view label = {}) {
        return x.then([&](OperandId id) { return x.builder_->transpose(id, permutation, label); });
    }
    [[nodiscard]] friend Expression where(const Expression& condition, const Expression& yes,
                                          const Expression& no, std::string_view label = {}) {
        return joined(std::array{condition, yes, no}, [&](std::span<const OperandId> ids) {
            return condition.builder_->where(ids[0], ids[1], ids[2], label);
        });
    }

private:
    // call(id), or this failure.
    template <typename Call>
    [[nodiscard]] Expression then(Call&& call) const {
        return id_ ? Expression(*builder_, call(*id_)) : *this;
    }

    // call(ids) of all operands, or the first failure. Ids mean nothing to another builder.
    template <typename Call>
    [[nodiscard]] static Expression joined(std::span<const Expression> operands, Call&& call) {
        std::vector<OperandId> ids;
        for (const Expression& operand : operands) {
            if (!operand.id_) {
                return operand;
            }
            if (operand.builder_ != operands.front().builder_) {
                return {*operand.builder_,
                        fail(ErrorCode::InvalidArgument, "the operands of an expression are of two "
                                                         "builders; make them with one")};
            }
            ids.push_back(*operand.id_);
        }
        return {*operands.front().builder_, call(std::span<const OperandId>(ids))};
    }

    template <typename Call>
    [[nodiscard]] Expression with(const Expression& other, Call&& call) const {
        return joined(std::array{*this, other},
                      [&](std::span<const OperandId> ids) { return call(ids[0], ids[1]); });
    }

    GraphBuilder* builder_; // not owned
    Result<OperandId> id_;
};

} // namespace sluice::graph
