// SPDX-License-Identifier: Apache-2.0
// The CPU backend: Highway kernels, chosen at run time for the processor (AVX2, AVX-512, NEON).
#pragma once

#include <string>

#include "core/runtime/backend.h"

namespace sluice::cpu {

[[nodiscard]] const runtime::Backend& backend();

// The instruction set in use: "AVX3_ZEN4", "AVX2", "NEON".
[[nodiscard]] std::string instruction_set();

// What decides how weights are packed, beside a graph: the instruction set and the user's choices.
[[nodiscard]] std::string packing();

} // namespace sluice::cpu
