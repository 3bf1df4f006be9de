// SPDX-License-Identifier: Apache-2.0
// The blocks of a tensor that share a scale and a zero point, as the conversions walk them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/cpu/lowerings.h"
#include "core/graph/graph.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {

// A tensor as [outer][channels][inner]: one scale a channel. Where the channels are the innermost
// axis, inner is 1 and a row of scales meets a row of elements.
struct QuantizationBlocks {
    std::size_t outer = 1, channels = 1, inner = 1;
};

// Unsupported where the scales are of blocks, or of more than one axis.
[[nodiscard]] Result<QuantizationBlocks> quantization_blocks(const graph::Shape& x,
                                                             const graph::Shape& scale);

// Of either conversion: `floats` and `bytes` are the operands that must be float32 and 8 bits.
[[nodiscard]] Status supports_blocks(const graph::Graph& graph, const graph::Node& node,
                                     graph::OperandId floats, graph::OperandId bytes);

// Calls flat(io, begin, end) for elements where one scale holds for all, else
// rows(blocks, io, begin, end) for rows: of all channels where inner is 1, else of one channel.
template <typename Flat, typename Rows>
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_block_kernel(const graph::Graph& graph, const graph::Node& node, Flat flat, Rows rows) {
    SLUICE_TRY_ASSIGN(const QuantizationBlocks blocks,
                      quantization_blocks(graph.desc(node.inputs[0]).shape(),
                                          graph.desc(node.inputs[1]).shape()));
    if (blocks.channels == 1) {
        const std::size_t count = blocks.outer * blocks.inner;
        return runtime::make_kernel([=](const runtime::KernelIo& io) {
            io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
                flat(io, begin, end);
            });
        });
    }
    const std::size_t size = blocks.inner == 1 ? blocks.channels : blocks.inner;
    const std::size_t count = blocks.inner == 1 ? blocks.outer : blocks.outer * blocks.channels;
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements / size);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
            rows(blocks, io, begin, end);
        });
    });
}

} // namespace sluice::cpu
