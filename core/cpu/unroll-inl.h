// SPDX-License-Identifier: Apache-2.0
// Loops that are unrolled before optimisation. Included once per instruction set.
#if defined(SLUICE_CORE_CPU_UNROLL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_UNROLL_INL_H_
#undef SLUICE_CORE_CPU_UNROLL_INL_H_
#else
#define SLUICE_CORE_CPU_UNROLL_INL_H_
#endif

#include <cstddef>
#include <utility>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {

template <std::size_t... kIndex, class Body>
HWY_INLINE void unroll(std::index_sequence<kIndex...>, Body&& body) {
    (body.template operator()<kIndex>(), ...);
}
// Calls body.operator()<i>() for i in [0, kCount): indices are constants even before optimisation,
// so that arrays of vectors are broken up into registers.
template <std::size_t kCount, class Body>
HWY_INLINE void unroll(Body&& body) {
    unroll(std::make_index_sequence<kCount>(), body);
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
