// SPDX-License-Identifier: Apache-2.0
// Which of Highway's instruction sets the kernels are compiled for. Include before any <hwy/...>.
//
// SSE2 is what every x86-64 has, AVX2 brings fused multiply-add, AVX3 twice the registers. The sets
// left out bring nothing to float kernels but compile time; SVE's vectors have no fixed size.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS                                                                       \
    (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_AVX3_SPR | HWY_NEON_WITHOUT_AES | HWY_NEON_BF16 |    \
     HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif

// After the parameters of a lambda within a kernel: compiled for the instruction set, always
// inlined.
#define SLUICE_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))
