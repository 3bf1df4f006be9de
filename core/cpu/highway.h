// SPDX-License-Identifier: Apache-2.0
// What the kernels add to Highway's vocabulary.
#pragma once

// After the parameters of a lambda within a kernel: compiled for the instruction set, always
// inlined.
#define SLUICE_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))
