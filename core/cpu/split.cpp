// SPDX-License-Identifier: Apache-2.0
// split: every row cut into the outputs' rows.
#include "core/ops/split.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kBlockBytes = 16384; // half of a first-level cache

} // namespace

Status supports_split(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_split(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const auto axis = std::get<ops::Split>(node.attributes).axis;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    std::size_t rows = 1;
    for (std::size_t i = 0; i < axis; ++i) {
        rows *= x.shape()[i];
    }
    std::vector<std::size_t> pieces; // bytes of one row of each output
    for (const graph::OperandId id : node.outputs) {
        pieces.push_back(graph.desc(id).byte_size() / rows);
    }
    const std::size_t row_bytes = x.byte_size() / rows;
    const std::size_t block = std::max<std::size_t>(1, kBlockBytes / row_bytes);
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements * sizeof(float) / row_bytes);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            // Block by block, so that the input's rows are still near when their next piece goes.
            for (std::size_t row = begin; row < end; row += block) {
                const std::byte* from = io.inputs[0] + row * row_bytes;
                const std::size_t count = std::min(block, end - row);
                for (std::size_t i = 0; i < pieces.size(); ++i) {
                    copy_rows(io.outputs[i] + row * pieces[i], pieces[i], from, row_bytes,
                              pieces[i], count);
                    from += pieces[i];
                }
            }
        });
    });
}

} // namespace sluice::cpu
