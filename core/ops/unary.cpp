// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one operand: the rules of WebNN's unary operators, activations, isNaN
// and isInfinite.
#include "core/ops/unary.h"

#include <format>

#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

enum class UnaryDomain : std::uint8_t { Float, Signed, Any, Logical, Test };

struct UnaryRow {
    std::string_view name;
    UnaryDomain domain;
};

constexpr auto kUnaries = std::to_array<UnaryRow>({
#define SLUICE_UNARY(name, Type, domain, expression, low, high) {#name, UnaryDomain::domain},
#include "core/ops/unary.def"
#undef SLUICE_UNARY
});

const UnaryRow& row(UnaryKind kind) {
    return kUnaries[static_cast<std::size_t>(kind)];
}

Status check_type(UnaryDomain domain, const graph::TensorDesc& input) {
    switch (domain) {
    case UnaryDomain::Any: return {};
    case UnaryDomain::Float:
    case UnaryDomain::Test: return rules::floats(input, "input");
    case UnaryDomain::Signed:
        if (graph::info(input.type()).is_signed) {
            return {};
        }
        return fail(ErrorCode::InvalidArgument,
                    "input has type {}, only floats and signed integers are allowed",
                    graph::name(input.type()));
    case UnaryDomain::Logical:
        if (input.type() == graph::DataType::Uint8) {
            return {};
        }
        return fail(ErrorCode::InvalidArgument, "input has type {}, only uint8 is allowed",
                    graph::name(input.type()));
    }
    std::unreachable();
}

} // namespace

std::string_view name(UnaryKind kind) {
    return row(kind).name;
}

Result<std::vector<graph::TensorDesc>> infer(const Unary& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const UnaryDomain domain = row(op.function.kind).domain;
    SLUICE_TRY(check_type(domain, inputs[0]));
    if (op.function.kind == UnaryKind::Clamp && !(op.function.alpha <= op.function.beta)) {
        return fail(ErrorCode::InvalidArgument, "minimum {} is not below or at the maximum {}",
                    op.function.alpha, op.function.beta);
    }
    const bool to_uint8 = domain == UnaryDomain::Logical || domain == UnaryDomain::Test;
    return rules::output(to_uint8 ? graph::DataType::Uint8 : inputs[0].type(), inputs[0].shape());
}

std::string describe(const Activation& function) {
    switch (function.kind) {
    case UnaryKind::Clamp:
    case UnaryKind::HardSigmoid:
    case UnaryKind::Linear:
        return std::format("{}({},{})", name(function.kind), function.alpha, function.beta);
    case UnaryKind::Elu:
    case UnaryKind::LeakyRelu: return std::format("{}({})", name(function.kind), function.alpha);
    default: return std::string(name(function.kind)); // the rest have no parameters
    }
}

std::string describe(const Unary& op) {
    switch (op.function.kind) {
    case UnaryKind::Clamp: return std::format("min={} max={}", op.function.alpha, op.function.beta);
    case UnaryKind::HardSigmoid:
    case UnaryKind::Linear:
        return std::format("alpha={} beta={}", op.function.alpha, op.function.beta);
    case UnaryKind::Elu:
    case UnaryKind::LeakyRelu: return std::format("alpha={}", op.function.alpha);
    default: return {}; // the rest have no parameters
    }
}

} // namespace sluice::ops
