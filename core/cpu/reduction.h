// SPDX-License-Identifier: Apache-2.0
// Reductions of float32 over one run of axes, shared by reduce and by pooling of whole pictures.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/ops/reduce.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// A tensor seen as [outer, reduced, inner].
struct ReductionShape {
    std::size_t outer = 1;
    std::size_t reduced = 1;
    std::size_t inner = 1;
};

[[nodiscard]] constexpr bool has_reduction(ops::ReduceKind kind) {
    return kind == ops::ReduceKind::Sum || kind == ops::ReduceKind::Mean ||
           kind == ops::ReduceKind::Max || kind == ops::ReduceKind::Min;
}

// A kernel from input 0 to output 0; has_reduction(kind) must hold.
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>> make_reduction(ops::ReduceKind kind,
                                                                      const ReductionShape& shape);

} // namespace sluice::cpu
