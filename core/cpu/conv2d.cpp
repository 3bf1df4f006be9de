// SPDX-License-Identifier: Apache-2.0
// conv2d on the CPU: which convolutions there are kernels for, and which kernel takes which.
#include <memory>
#include <variant>

#include "core/cpu/conv_dense.h"
#include "core/cpu/conv_planar.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/depthwise.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/winograd.h"
#include "core/ops/attributes.h"

namespace sluice::cpu {

Status supports_conv2d(const graph::Graph& graph, const graph::Node& node) {
    return require_conv(graph, node, std::get<ops::Conv2d>(node.attributes));
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
    if (allows_winograd() && suits_winograd(shape)) {
        return make_winograd_conv(shape, data);
    }
    return make_dense_conv(shape, data);
}

} // namespace sluice::cpu
