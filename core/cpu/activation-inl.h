// SPDX-License-Identifier: Apache-2.0
// The fused activations on Highway vectors. Included once per instruction set.
#if defined(SLUICE_CORE_CPU_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_ACTIVATION_INL_H_
#undef SLUICE_CORE_CPU_ACTIVATION_INL_H_
#else
#define SLUICE_CORE_CPU_ACTIVATION_INL_H_
#endif

#include <cstddef>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "core/cpu/activation.h"
#include "core/cpu/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// NaN stays NaN, here and below: x86 min and max return their second operand where either is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V clamp(D d, V v, float low, float high) {
    return hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), v));
}

// The kind known at compile time: for loops of their own, see with_activation().
template <ops::UnaryKind kKind, class D, class V = hn::Vec<D>>
HWY_INLINE V apply_kind(D d, V v, float alpha, float beta) {
    using enum ops::UnaryKind;
    if constexpr (kKind == Relu) {
        return hn::Max(hn::Zero(d), v);
    } else if constexpr (kKind == Clamp) {
        return clamp(d, v, alpha, beta);
    } else if constexpr (kKind == LeakyRelu) {
        return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Mul(v, hn::Set(d, alpha)), v);
    } else if constexpr (kKind == Elu) {
        const V negative = hn::Mul(hn::Set(d, alpha), hn::Expm1(d, hn::Min(v, hn::Zero(d))));
        return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), negative, v);
    } else if constexpr (kKind == HardSwish) {
        const V gate = clamp(d, hn::Add(v, hn::Set(d, 3.0F)), 0.0F, 6.0F);
        return hn::Mul(hn::Mul(v, gate), hn::Set(d, 1.0F / 6.0F));
    } else if constexpr (kKind == HardSigmoid) {
        return clamp(d, hn::MulAdd(hn::Set(d, alpha), v, hn::Set(d, beta)), 0.0F, 1.0F);
    } else if constexpr (kKind == Sigmoid) {
        // exp of a non-positive number cannot overflow: s(-|v|) = e / (1 + e), mirrored for v > 0.
        // Less than exp(lowest) counts as 0: arithmetic with subnormal numbers takes processors a
        // hundred cycles.
        const V lowest = hn::Set(d, -87.0F);
        const V x = hn::Neg(hn::Abs(v));
        const V e = hn::IfThenZeroElse(hn::Lt(x, lowest), hn::Exp(d, hn::Max(lowest, x)));
        const V small = hn::Div(e, hn::Add(hn::Set(d, 1.0F), e));
        const V s = hn::IfThenElse(hn::Gt(v, hn::Zero(d)), hn::Sub(hn::Set(d, 1.0F), small), small);
        return hn::IfThenElse(hn::IsNaN(v), v, s); // which Exp takes for a small number
    } else if constexpr (kKind == Tanh) {
        return hn::Tanh(d, v);
    } else if constexpr (kKind == Linear) {
        return hn::MulAdd(hn::Set(d, alpha), v, hn::Set(d, beta));
    } else {
        static_assert(kKind == Identity);
        return v;
    }
}

// Calls body.operator()<kKind>() for the activation's kind; has_kernel(kind) must hold.
template <class Body>
HWY_INLINE void with_activation(ops::UnaryKind kind, Body&& body) {
    using enum ops::UnaryKind;
    switch (kind) {
    case Relu: return body.template operator()<Relu>();
    case Clamp: return body.template operator()<Clamp>();
    case LeakyRelu: return body.template operator()<LeakyRelu>();
    case Elu: return body.template operator()<Elu>();
    case HardSwish: return body.template operator()<HardSwish>();
    case HardSigmoid: return body.template operator()<HardSigmoid>();
    case Sigmoid: return body.template operator()<Sigmoid>();
    case Tanh: return body.template operator()<Tanh>();
    case Linear: return body.template operator()<Linear>();
    default: return body.template operator()<Identity>();
    }
}

// activation(v), the kind looked up each time: for places that are not hot.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V apply(D d, V v, const Activation& activation) {
    using enum ops::UnaryKind;
    switch (activation.kind) {
    case Relu: return apply_kind<Relu>(d, v, activation.alpha, activation.beta);
    case Clamp: return apply_kind<Clamp>(d, v, activation.alpha, activation.beta);
    case LeakyRelu: return apply_kind<LeakyRelu>(d, v, activation.alpha, activation.beta);
    case Elu: return apply_kind<Elu>(d, v, activation.alpha, activation.beta);
    case HardSwish: return apply_kind<HardSwish>(d, v, activation.alpha, activation.beta);
    case HardSigmoid: return apply_kind<HardSigmoid>(d, v, activation.alpha, activation.beta);
    case Sigmoid: return apply_kind<Sigmoid>(d, v, activation.alpha, activation.beta);
    case Tanh: return apply_kind<Tanh>(d, v, activation.alpha, activation.beta);
    case Linear: return apply_kind<Linear>(d, v, activation.alpha, activation.beta);
    default: return v;
    }
}

// values[i] = activation(values[i]), for values that a kernel has just stored.
HWY_NOINLINE inline void activate_all(float* values, std::size_t count,
                                      const Activation& activation) {
    const hn::ScalableTag<float> d;
    const std::size_t lanes = hn::Lanes(d);
    with_activation(activation.kind, [&]<ops::UnaryKind kKind>() SLUICE_INLINE_LAMBDA {
        const float alpha = activation.alpha;
        const float beta = activation.beta;
        std::size_t i = 0;
        for (; i + lanes <= count; i += lanes) {
            const auto v = hn::LoadU(d, values + i);
            hn::StoreU(apply_kind<kKind>(d, v, alpha, beta), d, values + i);
        }
        if (i < count) {
            const auto v = hn::LoadN(d, values + i, count - i);
            hn::StoreN(apply_kind<kKind>(d, v, alpha, beta), d, values + i, count - i);
        }
    });
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
