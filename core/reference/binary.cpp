// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of two operands, as binary.def spells them.
#include "core/ops/binary.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <variant>

#include "core/reference/activation.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

enum class BinaryDomain : std::uint8_t { Any, Float, Compare, Logical };

template <BinaryDomain kDomain, typename T>
inline constexpr bool kBinaryHasIntegers =
    kDomain == BinaryDomain::Any || kDomain == BinaryDomain::Compare ||
    (kDomain == BinaryDomain::Logical && std::is_same_v<T, std::uint8_t>);

float evaluate_float(ops::BinaryKind kind, float a, float b) {
    switch (kind) {
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    case ops::BinaryKind::Type: return static_cast<float>(expression);
#include "core/ops/binary.def"
#undef SLUICE_BINARY
    }
    return a;
}

// Converts the value of an expression on integers; pow gives a double.
template <typename T, typename Value>
T integer_result(Value value) {
    if constexpr (std::is_floating_point_v<Value>) {
        return from_double<T>(value);
    } else {
        return static_cast<T>(value);
    }
}

// Integers wrap. Quotients truncate; x / 0 is 0, where hardware would trap.
template <ops::BinaryKind kKind, typename T, typename Expression>
T apply_integer(Wide<T> a, Wide<T> b, const Expression& expression) {
    using ops::BinaryKind;
    if constexpr (kKind == BinaryKind::Add || kKind == BinaryKind::Sub ||
                  kKind == BinaryKind::Mul) {
        // The low bits of two's complement do not depend on the sign, and unsigned may overflow.
        return static_cast<T>(
            expression(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
    } else if constexpr (kKind == BinaryKind::Prelu) {
        // Nothing unsigned is below 0; infer() refuses such operands.
        if constexpr (std::is_signed_v<T>) {
            return a < 0 ? static_cast<T>(static_cast<std::uint64_t>(a) *
                                          static_cast<std::uint64_t>(b))
                         : static_cast<T>(a);
        } else {
            return static_cast<T>(a);
        }
    } else {
        if constexpr (kKind == BinaryKind::Div) {
            if (b == 0) {
                return 0;
            }
            if (std::is_signed_v<T> && b == static_cast<Wide<T>>(-1)) {
                return static_cast<T>(0 - static_cast<std::uint64_t>(a));
            }
        }
        return integer_result<T>(expression(a, b));
    }
}

template <typename T>
T evaluate_integer(ops::BinaryKind kind, T left, T right) {
    switch (kind) {
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    case ops::BinaryKind::Type:                                                                    \
        if constexpr (kBinaryHasIntegers<BinaryDomain::domain, T>) {                               \
            return apply_integer<ops::BinaryKind::Type, T>(                                        \
                widen(left), widen(right), [](auto a, auto b) { return expression; });             \
        }                                                                                          \
        break;
#include "core/ops/binary.def"
#undef SLUICE_BINARY
    }
    return left;
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_binary(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto op = std::get<ops::Binary>(node.attributes);
    const graph::TensorDesc a = graph.desc(node.inputs[0]);
    const graph::TensorDesc b = graph.desc(node.inputs[1]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const std::array strides{broadcast_strides(a.shape(), y.shape()),
                             broadcast_strides(b.shape(), y.shape()), graph::strides_of(y.shape())};
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(a.type(), [&]<typename T>(std::type_identity<T>) {
            for_each_index(y.shape(), strides, [&](const auto& at) {
                const T left = io.input<T>(0)[at[0]];
                const T right = io.input<T>(1)[at[1]];
                if constexpr (!kIsFloat<T>) {
                    const T value = evaluate_integer(op.kind, left, right);
                    if (y.type() == graph::DataType::Uint8) { // also of comparisons
                        io.output<std::uint8_t>(0)[at[2]] = static_cast<std::uint8_t>(value);
                    } else {
                        io.output<T>(0)[at[2]] = value;
                    }
                } else {
                    const float value = evaluate_float(op.kind, static_cast<float>(widen(left)),
                                                       static_cast<float>(widen(right)));
                    if (y.type() == graph::DataType::Uint8) {
                        io.output<std::uint8_t>(0)[at[2]] = value != 0.0F ? 1 : 0;
                    } else {
                        io.output<T>(0)[at[2]] =
                            narrow<T>(static_cast<double>(evaluate(op.activation, value)));
                    }
                }
            });
        });
    });
}

} // namespace sluice::reference
