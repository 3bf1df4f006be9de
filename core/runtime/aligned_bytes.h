// SPDX-License-Identifier: Apache-2.0
// Memory that is aligned as tensors are.
#pragma once

#include <cstddef>
#include <new>

#include "core/runtime/kernel.h"

namespace sluice::runtime {

// Frees what was allocated with operator new and kTensorAlignment.
struct AlignedDelete {
    void operator()(std::byte* memory) const {
        ::operator delete(memory, std::align_val_t{kTensorAlignment});
    }
};

} // namespace sluice::runtime
