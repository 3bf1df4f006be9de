// SPDX-License-Identifier: Apache-2.0
// concat: rows of the inputs, one behind the other.
#include "core/ops/concat.h"

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

Status supports_concat(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_concat(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto axis = std::get<ops::Concat>(node.attributes).axis;
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    std::size_t rows = 1;
    for (std::size_t i = 0; i < axis; ++i) {
        rows *= y.shape()[i];
    }
    std::vector<std::size_t> pieces; // bytes of one row of each input
    for (const graph::OperandId id : node.inputs) {
        pieces.push_back(graph.desc(id).byte_size() / rows);
    }
    const std::size_t row_bytes = y.byte_size() / rows;
    const std::size_t block = std::max<std::size_t>(1, kBlockBytes / row_bytes);
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements * sizeof(float) / row_bytes);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            // Block by block, so that the result's rows are still near when their next piece comes.
            for (std::size_t row = begin; row < end; row += block) {
                std::byte* to = io.outputs[0] + row * row_bytes;
                const std::size_t count = std::min(block, end - row);
                for (std::size_t i = 0; i < pieces.size(); ++i) {
                    copy_rows(to, row_bytes, io.inputs[i] + row * pieces[i], pieces[i], pieces[i],
                              count);
                    to += pieces[i];
                }
            }
        });
    });
}

} // namespace sluice::cpu
