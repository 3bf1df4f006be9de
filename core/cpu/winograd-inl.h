// SPDX-License-Identifier: Apache-2.0
// Winograd's transforms of one row or column of six values (winograd_kernel.h names the points).
// Included once per instruction set.
#if defined(SLUICE_CORE_CPU_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_WINOGRAD_INL_H_
#undef SLUICE_CORE_CPU_WINOGRAD_INL_H_
#else
#define SLUICE_CORE_CPU_WINOGRAD_INL_H_
#endif

#include <cstddef>

#include <hwy/highway.h>

#include "core/cpu/winograd_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {

using WinogradTag = hwy::HWY_NAMESPACE::CappedTag<float, kMaxWinogradLanes>;
using WinogradVec = hwy::HWY_NAMESPACE::Vec<WinogradTag>;

inline constexpr float kNear2 = kNearPoint * kNearPoint;
inline constexpr float kFar2 = kFarPoint * kFarPoint;

// Six values in, six out. Row p of the matrix holds the coefficients of the product of (x - q) over
// all other finite points q.
template <typename Load, typename Store>
HWY_INLINE void transform_input(const Load& load, const Store& store) {
    namespace hn = hwy::HWY_NAMESPACE;
    const WinogradTag d;
    const auto set = [&](float value) HWY_ATTR { return hn::Set(d, value); };
    const WinogradVec d1 = load(1);
    const WinogradVec d2 = load(2);
    const WinogradVec d3 = load(3);
    const WinogradVec d4 = load(4);
    store(0, hn::MulAdd(load(0), set(kNear2 * kFar2), hn::NegMulAdd(d2, set(kNear2 + kFar2), d4)));
    store(5, hn::MulAdd(d1, set(kNear2 * kFar2), hn::NegMulAdd(d3, set(kNear2 + kFar2), load(5))));
    const WinogradVec near_even = hn::NegMulAdd(d2, set(kFar2), d4);
    const WinogradVec near_odd = hn::NegMulAdd(d1, set(kFar2), d3);
    store(1, hn::MulAdd(near_odd, set(kNearPoint), near_even));
    store(2, hn::NegMulAdd(near_odd, set(kNearPoint), near_even));
    const WinogradVec far_even = hn::NegMulAdd(d2, set(kNear2), d4);
    const WinogradVec far_odd = hn::NegMulAdd(d1, set(kNear2), d3);
    store(3, hn::MulAdd(far_odd, set(kFarPoint), far_even));
    store(4, hn::NegMulAdd(far_odd, set(kFarPoint), far_even));
}

// Six values in, kSize out: value i is the sum over the points of their i-th powers.
template <std::size_t kSize, typename Load, typename Store>
HWY_INLINE void transform_output(const Load& load, const Store& store) {
    namespace hn = hwy::HWY_NAMESPACE;
    const WinogradTag d;
    const auto set = [&](float value) HWY_ATTR { return hn::Set(d, value); };
    const WinogradVec near_even = hn::Add(load(1), load(2));
    const WinogradVec near_odd = hn::Sub(load(1), load(2));
    const WinogradVec far_even = hn::Add(load(3), load(4));
    const WinogradVec far_odd = hn::Sub(load(3), load(4));
    store(0, hn::Add(load(0), hn::Add(near_even, far_even)));
    const WinogradVec first =
        hn::MulAdd(near_odd, set(kNearPoint), hn::Mul(far_odd, set(kFarPoint)));
    if constexpr (kSize == 2) {
        store(1, hn::Add(first, load(5)));
    } else {
        static_assert(kSize == 4);
        store(1, first);
        store(2, hn::MulAdd(near_even, set(kNear2), hn::Mul(far_even, set(kFar2))));
        store(3, hn::MulAdd(near_odd, set(kNear2 * kNearPoint),
                            hn::MulAdd(far_odd, set(kFar2 * kFarPoint), load(5))));
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
