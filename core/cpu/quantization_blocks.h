// SPDX-License-Identifier: Apache-2.0
// The blocks of a tensor that share a scale and a zero point, as the conversions walk them.
#pragma once

#include <cstddef>

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::cpu {

// A tensor as [outer][channels][inner]: one scale a channel. Where the channels are the innermost
// axis, inner is 1 and a row of scales meets a row of elements.
struct QuantizationBlocks {
    std::size_t outer = 1, channels = 1, inner = 1;
};

// Unsupported where the scales are of blocks, or of more than one axis.
[[nodiscard]] Result<QuantizationBlocks> quantization_blocks(const graph::Shape& x,
                                                             const graph::Shape& scale);

} // namespace sluice::cpu
