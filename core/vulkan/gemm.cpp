// SPDX-License-Identifier: Apache-2.0
// General matrix product alpha * A' * B' + beta * C.
#include "core/ops/gemm.h"

#include <utility>
#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/matrix_product.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

MatrixProduct product_of(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Gemm>(node.attributes);
    const graph::Shape& a = graph.desc(node.inputs[0]).shape();
    const graph::Shape& b = graph.desc(node.inputs[1]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    MatrixProduct p{.rows = y[0],
                    .columns = y[1],
                    .depth = op.a_transpose ? a[0] : a[1],
                    .a_row = a[1],
                    .a_depth = 1,
                    .b_depth = b[1],
                    .b_column = 1,
                    .alpha = static_cast<float>(op.alpha),
                    .beta = static_cast<float>(op.beta),
                    .activation = op.activation,
                    .a = node.inputs[0],
                    .b = node.inputs[1],
                    .y = node.outputs[0],
                    .c = {}};
    if (op.a_transpose) {
        std::swap(p.a_row, p.a_depth);
    }
    if (op.b_transpose) {
        std::swap(p.b_depth, p.b_column);
    }
    if (op.has_c) {
        const Strides c = broadcast_strides(graph.desc(node.inputs[2]).shape(), y);
        p.c = node.inputs[2];
        p.c_row = c[0];
        p.c_column = c[1];
    }
    return p;
}

} // namespace

Status supports_gemm(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    return supports_product(context, product_of(graph, node));
}

Status lower_gemm(StepWriter& writer, const graph::Node& node) {
    write_product(writer, product_of(writer.graph(), node));
    return {};
}

} // namespace sluice::vulkan
