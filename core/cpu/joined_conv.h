// SPDX-License-Identifier: Apache-2.0
// A concat of channels and the 1x1 convolution that alone reads it, as one step on a large picture:
// what is joined stays in the cache, a block of pixels at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"
#include "core/runtime/segment.h"

namespace sluice::cpu {

// Whether node `first` is such a concat, and the node behind it such a convolution.
[[nodiscard]] bool is_joined_conv(const graph::Graph& graph, std::size_t first);

// `segment` is the two nodes and the operands that cross their border.
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_joined_conv(const graph::Graph& graph, const runtime::Segment& segment);

} // namespace sluice::cpu
