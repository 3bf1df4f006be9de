// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two operands: the rules of WebNN's binary and logical operators and of
// prelu.
#include "core/ops/binary.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

enum class BinaryDomain : std::uint8_t { Any, Float, Signed, Compare, Logical };

struct BinaryRow {
    std::string_view name;
    BinaryDomain domain;
};

constexpr auto kBinaries = std::to_array<BinaryRow>({
#define SLUICE_BINARY(name, Type, domain, expression, low, high) {#name, BinaryDomain::domain},
#include "core/ops/binary.def"
#undef SLUICE_BINARY
});

// prelu stands in binary.def as Any, because its kernel is one for every type; WebNN allows it
// signed types only.
BinaryDomain domain_of(BinaryKind kind) {
    return kind == BinaryKind::Prelu ? BinaryDomain::Signed
                                     : kBinaries[static_cast<std::size_t>(kind)].domain;
}

Status check_type(BinaryDomain domain, const graph::TensorDesc& a) {
    switch (domain) {
    case BinaryDomain::Any:
    case BinaryDomain::Compare: return {};
    case BinaryDomain::Float: return rules::floats(a, "first operand");
    case BinaryDomain::Signed:
        if (graph::info(a.type()).is_signed) {
            return {};
        }
        return fail(ErrorCode::InvalidArgument,
                    "first operand has type {}, only floats and signed integers are allowed",
                    graph::name(a.type()));
    case BinaryDomain::Logical:
        if (a.type() == graph::DataType::Uint8) {
            return {};
        }
        return fail(ErrorCode::InvalidArgument, "first operand has type {}, only uint8 is allowed",
                    graph::name(a.type()));
    }
    std::unreachable();
}

} // namespace

std::string_view name(BinaryKind kind) {
    return kBinaries[static_cast<std::size_t>(kind)].name;
}

Result<std::vector<graph::TensorDesc>> infer(const Binary& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    const graph::TensorDesc& a = inputs[0];
    const graph::TensorDesc& b = inputs[1];
    const BinaryDomain domain = domain_of(op.kind);
    SLUICE_TRY(check_type(domain, a));
    SLUICE_TRY(rules::same_type(b, "second operand", a, "first operand"));
    SLUICE_TRY_ASSIGN(const graph::Shape shape, graph::broadcast(a.shape(), b.shape()));
    const bool to_uint8 = domain == BinaryDomain::Compare || domain == BinaryDomain::Logical;
    return rules::with_epilogue(op.activation,
                                rules::output(to_uint8 ? graph::DataType::Uint8 : a.type(), shape));
}

std::string describe(const Binary& op) {
    return AttributeText().activation(op.activation).take();
}

} // namespace sluice::ops
