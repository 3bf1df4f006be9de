// SPDX-License-Identifier: Apache-2.0
// Reductions over axes (WebNN reduction operators).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

// One enumerator per row of reduce.def.
enum class ReduceKind : std::uint8_t {
#define SLUICE_REDUCE(name, Type) Type,
#include "core/ops/reduce.def"
#undef SLUICE_REDUCE
};

[[nodiscard]] std::string_view name(ReduceKind kind); // "reduce_mean"

struct Reduce {
    static constexpr std::string_view kName = "reduce";
    ReduceKind kind = ReduceKind::Sum;
    std::vector<std::uint32_t> axes; // none: every element is reduced with itself alone
    bool keep_dimensions = false;
};

// Inputs: x. The builder turns an absent list of axes into all axes.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Reduce& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Reduce& op);

} // namespace sluice::ops
