// SPDX-License-Identifier: Apache-2.0
// The loops behind the machine's limits, once per instruction set.
#include "core/cpu/machine_kernel.h"

#include <algorithm>

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/machine_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two units of four cycles' latency need eight chains; two more hide what else a loop does.
constexpr std::size_t kChains = 10;
constexpr std::size_t kMaxLanes = 16;

using FloatTag = hn::CappedTag<float, kMaxLanes>;
using IntTag = hn::CappedTag<std::int32_t, kMaxLanes>;
using WordTag = hn::CappedTag<std::uint32_t, kMaxLanes>;
using ByteTag = hn::Repartition<std::uint8_t, IntTag>;
using SignedByteTag = hn::Repartition<std::int8_t, IntTag>;

float multiply_add(std::size_t rounds, float factor, float addend) {
    const FloatTag d;
    const auto f = hn::Set(d, factor);
    const auto a = hn::Set(d, addend);
    // Each starts elsewhere: equal chains would be computed once.
    hn::Vec<FloatTag> x[kChains];
    unroll<kChains>([&]<std::size_t i>()
                        SLUICE_INLINE_LAMBDA { x[i] = hn::Set(d, static_cast<float>(i)); });
    for (std::size_t round = 0; round < rounds; ++round) {
        unroll<kChains>([&]<std::size_t i>()
                            SLUICE_INLINE_LAMBDA { x[i] = hn::MulAdd(x[i], f, a); });
    }
    auto sum = hn::Zero(d);
    unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { sum = hn::Add(sum, x[i]); });
    return hn::ReduceSum(d, sum);
}

std::int32_t dot_products(std::size_t rounds, std::uint8_t a, std::int8_t b) {
    const IntTag d;
    const ByteTag bytes;
    const std::size_t step = hn::Lanes(bytes);
    alignas(64) std::uint8_t left[kChains * hn::MaxLanes(ByteTag())];
    std::fill_n(left, kChains * step, a);
    const auto right = hn::Set(SignedByteTag(), b);
    hn::Vec<IntTag> x[kChains];
    unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { x[i] = hn::Zero(d); });
    for (std::size_t round = 0; round < rounds; ++round) {
        unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            x[i] = hn::SumOfMulQuadAccumulate(d, hn::Load(bytes, left + i * step), right, x[i]);
        });
        // Products that are the same in every round would be computed once.
        asm volatile("" : : "r"(left) : "memory");
    }
    auto sum = hn::Zero(d);
    unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { sum = hn::Add(sum, x[i]); });
    return hn::ReduceSum(d, sum);
}

std::uint32_t read(std::span<const std::uint32_t> values) {
    const WordTag d;
    const std::size_t lanes = hn::Lanes(d);
    hn::Vec<WordTag> x[kChains];
    unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { x[i] = hn::Zero(d); });
    for (std::size_t at = 0; at < values.size(); at += kChains * lanes) {
        unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            x[i] = hn::Add(x[i], hn::LoadU(d, values.data() + at + i * lanes));
        });
    }
    auto sum = hn::Zero(d);
    unroll<kChains>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { sum = hn::Add(sum, x[i]); });
    return hn::ReduceSum(d, sum);
}

constexpr MachineKernels kKernels = {
    .multiply_add = &multiply_add,
    .multiply_add_lanes = kChains * hn::MaxLanes(FloatTag()),
    .dot_products = &dot_products,
    .dot_product_lanes = kChains * hn::MaxLanes(IntTag()),
    .read = &read,
    .read_step = kChains * hn::MaxLanes(WordTag()),
};

} // namespace

const MachineKernels& get_machine_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_machine_kernels);

const MachineKernels& machine_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_machine_kernels)();
}

} // namespace sluice::cpu
#endif
