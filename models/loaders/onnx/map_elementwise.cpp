// SPDX-License-Identifier: Apache-2.0
// Mappings of arithmetic, comparisons and logic.
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/ops/binary.h"
#include "core/ops/unary.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::DataType;
using graph::OperandId;
using ops::BinaryKind;
using ops::UnaryKind;

namespace {

bool is_logical(BinaryKind kind) {
    switch (kind) {
    case BinaryKind::Equal:
    case BinaryKind::Greater:
    case BinaryKind::GreaterOrEqual:
    case BinaryKind::Lesser:
    case BinaryKind::LesserOrEqual:
    case BinaryKind::LogicalAnd:
    case BinaryKind::LogicalOr:
    case BinaryKind::LogicalXor:
    case BinaryKind::NotEqual: return true;
    case BinaryKind::Add:
    case BinaryKind::Div:
    case BinaryKind::Max:
    case BinaryKind::Min:
    case BinaryKind::Mul:
    case BinaryKind::Pow:
    case BinaryKind::Prelu:
    case BinaryKind::Sub: return false;
    }
    std::unreachable();
}

} // namespace

Result<Outputs> map_unary(Operation& op, const ops::Activation& function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(Outputs outputs, op.build().unary(function, x, op.label()));
    outputs.is_bool = function.kind == UnaryKind::LogicalNot || function.kind == UnaryKind::IsNan;
    return outputs;
}

Result<Outputs> map_binary(Operation& op, BinaryKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    SLUICE_TRY_ASSIGN(Outputs outputs, op.build().binary(kind, a, b, op.label()));
    outputs.is_bool = is_logical(kind);
    return outputs;
}

Result<Outputs> map_variadic(Operation& op, BinaryKind kind) {
    SLUICE_TRY_ASSIGN(OperandId result, op.input(0));
    for (std::size_t i = 1; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(const OperandId next, op.input(i));
        SLUICE_TRY_ASSIGN(result, op.build().binary(kind, result, next, op.label()));
    }
    return result;
}

// WebNN's abs is of signed numbers.
Result<Outputs> map_abs(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    if (!graph::info(op.desc(x).type()).is_signed) {
        return x;
    }
    return op.build().abs(x, op.label());
}

Result<Outputs> map_is_inf(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t negative, op.integer("detect_negative", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t positive, op.integer("detect_positive", 1));
    SLUICE_TRY_ASSIGN(OperandId result, op.build().is_infinite(x, op.label()));
    if (negative == 0 || positive == 0) {
        SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
        // Where both are off, no number is both above and below zero.
        const auto keep = [&](BinaryKind kind) -> Status {
            SLUICE_TRY_ASSIGN(const OperandId side, op.build().binary(kind, x, zero, op.label()));
            SLUICE_TRY_ASSIGN(result, op.build().logical_and(result, side, op.label()));
            return {};
        };
        if (negative == 0) {
            SLUICE_TRY(keep(BinaryKind::Greater));
        }
        if (positive == 0) {
            SLUICE_TRY(keep(BinaryKind::Lesser));
        }
    }
    Outputs outputs(result);
    outputs.is_bool = true;
    return outputs;
}

Result<Outputs> map_mean(Operation& op) {
    SLUICE_TRY_ASSIGN(const Outputs sum, map_variadic(op, BinaryKind::Add));
    const auto total = std::get<OperandId>(sum.all[0]);
    SLUICE_TRY_ASSIGN(const OperandId count,
                      op.number(total, static_cast<double>(op.input_count())));
    return op.build().div(total, count, op.label());
}

namespace {

// |a| modulo |b| with the sign of a, as C's fmod.
Result<OperandId> truncated_modulo(Operation& op, OperandId a, OperandId b) {
    SLUICE_TRY_ASSIGN(const OperandId size, op.build().abs(a, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId step, op.build().abs(b, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId quotient, op.build().div(size, step, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId whole, op.build().floor(quotient, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().mul(whole, step, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId rest, op.build().sub(size, product, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId sign, op.build().sign(a, op.label()));
    return op.build().mul(rest, sign, op.label());
}

} // namespace

// Integers are divided towards zero, so that a - a / b * b has a's sign; Mod wants b's sign, unless
// fmod asks for a's. Floats must ask for it.
Result<Outputs> map_mod(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    SLUICE_TRY_ASSIGN(const std::int64_t truncating, op.integer("fmod", 0));
    if (op.is_float(a)) {
        if (truncating == 0) {
            return fail(ErrorCode::Parse, "floats need fmod=1");
        }
        return truncated_modulo(op, a, b);
    }
    SLUICE_TRY_ASSIGN(const OperandId quotient, op.build().div(a, b, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().mul(quotient, b, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId rest, op.build().sub(a, product, op.label()));
    if (truncating != 0 || !graph::info(op.desc(a).type()).is_signed) {
        return rest;
    }
    SLUICE_TRY_ASSIGN(const OperandId zero, op.number(a, 0.0));
    SLUICE_TRY_ASSIGN(const OperandId rest_below, op.build().lesser(rest, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId b_below, op.build().lesser(b, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId differ,
                      op.build().logical_xor(rest_below, b_below, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId some, op.build().not_equal(rest, zero, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId shift, op.build().logical_and(differ, some, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId shifted, op.build().add(rest, b, op.label()));
    return op.build().where(shift, shifted, rest, op.label());
}

// The result has the base's type; the exponent may have any.
Result<Outputs> map_pow(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId base, op.input(0));
    SLUICE_TRY_ASSIGN(OperandId exponent, op.input(1));
    const DataType type = op.desc(base).type();
    if (op.desc(exponent).type() == type) {
        return op.build().pow(base, exponent, op.label());
    }
    if (!graph::is_float(type) && op.is_float(exponent)) {
        SLUICE_TRY_ASSIGN(base, op.build().cast(base, op.desc(exponent).type(), op.label()));
        SLUICE_TRY_ASSIGN(const OperandId power, op.build().pow(base, exponent, op.label()));
        return op.build().cast(power, type, op.label());
    }
    SLUICE_TRY_ASSIGN(exponent, op.build().cast(exponent, type, op.label()));
    return op.build().pow(base, exponent, op.label());
}

Result<Outputs> map_where(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId condition, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId yes, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId no, op.input(2));
    return op.build().where(condition, yes, no, op.label());
}

} // namespace sluice::models::onnx
