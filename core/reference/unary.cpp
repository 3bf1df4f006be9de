// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one operand, as unary.def spells them.
#include "core/ops/unary.h"

#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>

#include "core/reference/activation.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

enum class UnaryDomain : std::uint8_t { Float, Signed, Any, Logical, Test };

template <UnaryDomain kDomain, typename T>
inline constexpr bool kUnaryHasIntegers =
    kDomain == UnaryDomain::Any || (kDomain == UnaryDomain::Signed && std::is_signed_v<T>) ||
    (kDomain == UnaryDomain::Logical && std::is_same_v<T, std::uint8_t>);

// One function on integers of one type. Functions of floats only give x back: infer() refuses them.
// 64 bits hold every intermediate value but the negated minimum of int64, which wraps to itself.
template <typename T>
T evaluate_integer(const ops::Activation& function, T element) {
    const Wide<T> x = widen(element);
    [[maybe_unused]] const auto alpha = widen(from_double<T>(function.alpha));
    [[maybe_unused]] const auto beta = widen(from_double<T>(function.beta));
    if constexpr (std::is_same_v<T, std::int64_t>) {
        const bool negates =
            function.kind == ops::UnaryKind::Neg || function.kind == ops::UnaryKind::Abs;
        if (negates && x == std::numeric_limits<T>::min()) {
            return element;
        }
    }
    switch (function.kind) {
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    case ops::UnaryKind::Type:                                                                     \
        if constexpr (kUnaryHasIntegers<UnaryDomain::domain, T>) {                                 \
            return static_cast<T>(expression);                                                     \
        }                                                                                          \
        break;
#include "core/ops/unary.def"
#undef SLUICE_UNARY
    }
    return element;
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_unary(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const auto function = std::get<ops::Unary>(node.attributes).function;
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const std::size_t count = x.element_count();
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename T>(std::type_identity<T>) {
            const T* in = io.input<T>(0);
            if constexpr (!kIsFloat<T>) {
                for (std::size_t i = 0; i < count; ++i) {
                    io.output<T>(0)[i] = evaluate_integer(function, in[i]);
                }
            } else {
                // Identity and clamp keep the bits of what they pass through: widening is exact.
                for (std::size_t i = 0; i < count; ++i) {
                    const float value = evaluate(function, static_cast<float>(widen(in[i])));
                    if (y.type() == graph::DataType::Uint8) {
                        io.output<std::uint8_t>(0)[i] = value != 0.0F ? 1 : 0;
                    } else {
                        io.output<T>(0)[i] = narrow<T>(static_cast<double>(value));
                    }
                }
            }
        });
    });
}

} // namespace sluice::reference
