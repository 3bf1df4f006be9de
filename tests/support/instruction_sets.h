// SPDX-License-Identifier: Apache-2.0
// Runs a test with every instruction set of the machine, not just with its best one.
#pragma once

#include <cstdint>
#include <functional>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "core/cpu/gemm_kernel.h"

namespace sluice::testing {

// Calls the body once for each instruction set that is compiled in and that this machine has.
inline void for_each_instruction_set(const std::function<void()>& body) {
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        hwy::SetSupportedTargetsForTest(target);
        if (cpu::gemm_kernels().target == target) {
            SCOPED_TRACE(hwy::TargetName(target));
            body();
        }
        hwy::SetSupportedTargetsForTest(0);
    }
}

} // namespace sluice::testing
