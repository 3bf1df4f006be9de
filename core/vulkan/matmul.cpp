// SPDX-License-Identifier: Apache-2.0
// Batched matrix product with broadcast batch dimensions.
#include "core/ops/matmul.h"

#include "core/vulkan/lowerings.h"
#include "core/vulkan/matrix_product.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

Walk<2> batches_of(const graph::Graph& graph, const graph::Node& node) {
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    graph::Shape outer = y;
    outer[y.rank() - 1] = 1;
    outer[y.rank() - 2] = 1;
    return merge_axes(outer, std::array{broadcast_strides(graph.desc(node.inputs[0]).shape(), y),
                                        broadcast_strides(graph.desc(node.inputs[1]).shape(), y)});
}

MatrixProduct matmul_product_of(const graph::Graph& graph, const graph::Node& node) {
    const graph::Shape& a = graph.desc(node.inputs[0]).shape();
    const graph::Shape& b = graph.desc(node.inputs[1]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const std::size_t rank = y.rank();
    MatrixProduct p{.rows = y[rank - 2],
                    .columns = y[rank - 1],
                    .depth = a[a.rank() - 1],
                    .a_row = a[a.rank() - 1],
                    .a_depth = 1,
                    .b_depth = b[b.rank() - 1],
                    .b_column = 1,
                    .a = node.inputs[0],
                    .b = node.inputs[1],
                    .y = node.outputs[0],
                    .c = {}};
    const Walk<2> walk = batches_of(graph, node);
    for (std::size_t axis = 0; axis < p.batch_shape.size(); ++axis) {
        p.batch_shape[axis] = walk.shape[axis];
        p.a_batch[axis] = walk.strides[0][axis];
        p.b_batch[axis] = walk.strides[1][axis];
        p.batches *= walk.shape[axis];
    }
    // All rows of all batches by one matrix are one product.
    const bool one_matrix =
        walk.rank == 1 && walk.strides[1][0] == 0 && walk.strides[0][0] == p.rows * p.depth;
    if (one_matrix) {
        p.rows *= p.batches;
        p.batches = 1;
        p.batch_shape[0] = 1;
    }
    return p;
}

} // namespace

Status supports_matmul(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    const std::size_t rank = batches_of(graph, node).rank;
    if (rank > 4) {
        return fail(ErrorCode::Unsupported, "{} batch axes that cannot be merged, at most 4", rank);
    }
    return supports_product(context, matmul_product_of(graph, node));
}

Status lower_matmul(StepWriter& writer, const graph::Node& node) {
    write_product(writer, matmul_product_of(writer.graph(), node));
    return {};
}

} // namespace sluice::vulkan
