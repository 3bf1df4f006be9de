// SPDX-License-Identifier: Apache-2.0
// The largest or smallest values along an axis, which WebNN has no operator for.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/builder.h"

namespace sluice::models {

struct Ranking {
    std::uint32_t axis;
    std::int64_t count;
    bool largest = true;
    graph::DataType place_type = graph::DataType::Int32; // or Int64
};

struct Ranked {
    graph::OperandId values; // in order
    graph::OperandId places; // along the axis; of equal values the first comes first
};

// As many rounds of argMax or argMin as values are asked for, each of which puts what it found out
// of the next one's way; where infinities of the wrong sign get into the result, they are found
// twice. Parse: an impossible count. Unsupported: more than 256, or neither floats nor int32.
[[nodiscard]] Result<Ranked> rank_values(graph::GraphBuilder& builder, graph::OperandId x,
                                         const Ranking& ranking, std::string_view label);

} // namespace sluice::models
