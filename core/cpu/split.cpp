// SPDX-License-Identifier: Apache-2.0
// split: every row cut into the outputs' rows.
#include "core/ops/split.h"

#include <variant>

#include "core/cpu/lowerings.h"
#include "core/cpu/row_pieces.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {

Status supports_split(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_split(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const RowPieces rows(graph, node.inputs[0], node.outputs,
                         std::get<ops::Split>(node.attributes).axis);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        rows.run(io.threads,
                 [&](std::size_t at, std::size_t piece, std::size_t at_piece, std::size_t count) {
                     copy_rows(io.outputs[piece] + at_piece, rows.piece_bytes(piece),
                               io.inputs[0] + at, rows.row_bytes(), rows.piece_bytes(piece), count);
                 });
    });
}

} // namespace sluice::cpu
