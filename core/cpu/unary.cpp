// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one float32 operand.
#include "core/ops/unary.h"

#include <variant>

#include "core/cpu/activation.h"
#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/unary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

using UnaryTag = hn::ScalableTag<float>;
using UnaryVec = hn::Vec<UnaryTag>;

// y[i] = function(x[i]); x and y may be the same.
template <class Function>
HWY_INLINE void map(const float* x, float* y, std::size_t count, Function&& function) {
    const UnaryTag d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(function(hn::LoadU(d, x + i)), d, y + i);
    }
    if (i < count) {
        hn::StoreN(function(hn::LoadN(d, x + i, count - i)), d, y + i, count - i);
    }
}

// Functions that have a kernel of their own but are never fused.
HWY_INLINE bool map_plain(ops::UnaryKind kind, const float* x, float* y, std::size_t count) {
    using enum ops::UnaryKind;
    const UnaryTag d;
    const UnaryVec one = hn::Set(d, 1.0F);
    switch (kind) {
    case Abs: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Abs(v); }); return true;
    case Neg: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Neg(v); }); return true;
    case Ceil: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Ceil(v); }); return true;
    case Floor: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Floor(v); }); return true;
    case RoundEven: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Round(v); }); return true;
    case Sqrt: map(x, y, count, [](UnaryVec v) HWY_ATTR { return hn::Sqrt(v); }); return true;
    case Reciprocal:
        map(x, y, count, [&](UnaryVec v) HWY_ATTR { return hn::Div(one, v); });
        return true;
    case Softsign:
        map(x, y, count, [&](UnaryVec v) HWY_ATTR { return hn::Div(v, hn::Add(one, hn::Abs(v))); });
        return true;
    case Exp:
        map(x, y, count, [&](UnaryVec v) HWY_ATTR {
            // Highway's result is defined up to 104 and takes NaN for a very small number.
            const UnaryVec e = hn::Exp(d, hn::Min(v, hn::Set(d, 104.0F)));
            return hn::IfThenElse(hn::IsNaN(v), v, e);
        });
        return true;
    default: return false;
    }
}

} // namespace

void unary_range(const Activation& function, const float* x, float* y, std::size_t count) {
    if (map_plain(function.kind, x, y, count)) {
        return;
    }
    with_activation(function.kind, [&]<ops::UnaryKind kKind>() HWY_ATTR {
        map(x, y, count, [&](UnaryVec v) HWY_ATTR {
            return apply_kind<kKind>(UnaryTag(), v, function.alpha, function.beta);
        });
    });
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(unary_range);

Status supports_unary(const graph::Graph& graph, const graph::Node& node) {
    using enum ops::UnaryKind;
    SLUICE_TRY(require_float32(graph, node));
    const ops::UnaryKind kind = std::get<ops::Unary>(node.attributes).function.kind;
    const bool plain = kind == Abs || kind == Neg || kind == Ceil || kind == Floor ||
                       kind == RoundEven || kind == Sqrt || kind == Reciprocal ||
                       kind == Softsign || kind == Exp;
    if (!plain && !has_kernel(kind)) {
        return fail(ErrorCode::Unsupported, "{} has no kernel", ops::name(kind));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_unary(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const Activation function = to_cpu(std::get<ops::Unary>(node.attributes).function);
    const std::size_t count = graph.desc(node.inputs[0]).element_count();
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(unary_range)
            (function, io.input<float>(0) + begin, io.output<float>(0) + begin, end - begin);
        });
    });
}

} // namespace sluice::cpu
#endif
