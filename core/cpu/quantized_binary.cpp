// SPDX-License-Identifier: Apache-2.0
// Sums, differences and products of quantised operands.
#include "core/ops/quantized_binary.h"

#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/quantized_weights.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/quantized_binary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/quantized_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

// `count` elements of int8 or uint8, no more than a vector of int32 holds.
HWY_INLINE SumVec load_bytes(const std::byte* from, bool is_signed, std::size_t count) {
    const SumTag d;
    const hn::Rebind<std::int8_t, SumTag> s;
    const hn::Rebind<std::uint8_t, SumTag> u;
    HWY_ALIGN std::byte some[kSumLanes] = {};
    if (count < kSumLanes) {
        std::memcpy(some, from, count);
        from = some;
    }
    return is_signed ? hn::PromoteTo(d, hn::LoadU(s, reinterpret_cast<const std::int8_t*>(from)))
                     : hn::PromoteTo(d, hn::LoadU(u, reinterpret_cast<const std::uint8_t*>(from)));
}

template <bool kIsProduct>
HWY_INLINE void arithmetic(const QuantizedTerms& t, const std::byte* a, const std::byte* b,
                           std::byte* y, std::size_t count) {
    const SumTag d;
    const StepTag f;
    const auto a_factor = hn::Set(f, t.a_factor);
    const auto b_factor = hn::Set(f, t.b_factor);
    const auto low = hn::Set(f, t.end.low);
    const auto high = hn::Set(f, t.end.high);
    const std::size_t element = graph::size_of(t.end.type);
    for (std::size_t i = 0; i < count; i += kSumLanes) {
        const std::size_t some = std::min(count - i, kSumLanes);
        auto left = load_bytes(a + i, t.a_is_signed, some);
        auto right = load_bytes(b + i, t.b_is_signed, some);
        auto steps = hn::Set(f, t.addend);
        if constexpr (kIsProduct) {
            left = hn::Sub(left, hn::Set(d, t.a_zero));
            right = hn::Sub(right, hn::Set(d, t.b_zero));
            steps = hn::Mul(hn::Mul(hn::ConvertTo(f, left), hn::ConvertTo(f, right)), a_factor);
        } else {
            steps = hn::MulAdd(hn::ConvertTo(f, left), a_factor, steps);
            steps = hn::MulAdd(hn::ConvertTo(f, right), b_factor, steps);
        }
        steps = hn::Min(high, hn::Max(low, steps));
        std::byte* const to = y + i * element;
        if (t.end.type == graph::DataType::Int8) {
            store_bytes<std::int8_t>(steps, t.end.zero_point, to, some);
        } else if (t.end.type == graph::DataType::Uint8) {
            store_bytes<std::uint8_t>(steps, t.end.zero_point, to, some);
        } else {
            hn::StoreN(steps, f, reinterpret_cast<float*>(to), some);
        }
    }
}

} // namespace

void quantized_arithmetic(const QuantizedTerms& terms, const std::byte* a, const std::byte* b,
                          std::byte* y, std::size_t count) {
    if (terms.is_product) {
        arithmetic<true>(terms, a, b, y, count);
    } else {
        arithmetic<false>(terms, a, b, y, count);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(quantized_arithmetic);

Status supports_quantized_binary(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_quantized_binary(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto& op = std::get<ops::QuantizedBinary>(node.attributes);
    const bool is_product = op.kind == ops::BinaryKind::Mul;
    const double step = op.result.type == graph::DataType::Float32
                            ? 1.0
                            : static_cast<double>(op.result.quantization.scale);
    const double a_scale = static_cast<double>(op.a.scale);
    const double b_scale =
        (op.kind == ops::BinaryKind::Sub ? -1.0 : 1.0) * static_cast<double>(op.b.scale);
    const double a_factor = (is_product ? a_scale * b_scale : a_scale) / step;
    const double b_factor = b_scale / step;
    const QuantizedTerms terms{
        .is_product = is_product,
        .a_is_signed = graph.desc(node.inputs[0]).type() == graph::DataType::Int8,
        .b_is_signed = graph.desc(node.inputs[1]).type() == graph::DataType::Int8,
        .a_factor = static_cast<float>(a_factor),
        .b_factor = static_cast<float>(b_factor),
        .addend = static_cast<float>(-a_factor * op.a.zero_point - b_factor * op.b.zero_point),
        .a_zero = op.a.zero_point,
        .b_zero = op.b.zero_point,
        .end = quantized_end(op.result, op.activation),
    };
    const std::size_t count = graph.desc(node.inputs[0]).element_count();
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(quantized_arithmetic)
            (terms, io.inputs[0] + begin, io.inputs[1] + begin,
             io.outputs[0] + begin * graph::size_of(terms.end.type), end - begin);
        });
    });
}

} // namespace sluice::cpu
#endif
