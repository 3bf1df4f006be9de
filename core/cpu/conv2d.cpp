// SPDX-License-Identifier: Apache-2.0
// conv2d on the CPU: which convolutions there are kernels for, and which kernel takes which.
#include <memory>
#include <variant>

#include "core/cpu/conv_dense.h"
#include "core/cpu/conv_planar.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/depthwise.h"
#include "core/cpu/lowerings.h"
#include "core/ops/attributes.h"

namespace sluice::cpu {

Status supports_conv2d(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Conv2d>(node.attributes);
    SLUICE_TRY(require_float32(graph, node));
    if (op.input_layout != ops::InputLayout::Nhwc) {
        return fail(ErrorCode::Unsupported, "input layout is not NHWC");
    }
    if (!has_kernel(op.activation.kind)) {
        return fail(ErrorCode::Unsupported, "no fused {}", ops::name(op.activation.kind));
    }
    SLUICE_TRY(require_constant(graph, node.inputs[1], "filter"));
    if (op.has_bias) {
        SLUICE_TRY(require_constant(graph, node.inputs[2], "bias"));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_conv2d(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto& op = std::get<ops::Conv2d>(node.attributes);
    const ConvShape shape = conv_shape(graph, node, op);
    const ConvConstants data = conv_constants(graph, node, op);
    if (shape.groups == shape.in_channels && shape.out_channels == shape.in_channels &&
        shape.groups > 1) {
        return make_depthwise_conv(shape, data);
    }
    if (suits_planes(shape)) {
        return make_planar_conv(shape, data);
    }
    return make_dense_conv(shape, data);
}

} // namespace sluice::cpu
