// SPDX-License-Identifier: Apache-2.0
// Convolution of quantised pictures: sums of products of integers.
#include "core/ops/quantized_conv2d.h"

#include <array>
#include <variant>

#include "core/reference/convolution.h"
#include "core/reference/lowerings.h"
#include "core/reference/quantized.h"

namespace sluice::reference {
namespace {

struct Geometry {
    ops::QuantizedConv2d op;
    graph::DataType x_type, filter_type;
    Picture x, y;
    ops::FilterDims filter;
    FilterStrides strides;
    bool per_channel; // scales and zero points of the filter
};

// The sum of products behind one output element.
std::int64_t convolve(const Geometry& g, const runtime::KernelIo& io,
                      std::array<std::size_t, 4> at) {
    const auto [n, oc, oy, ox] = at;
    const std::size_t first_channel =
        oc / (g.filter.output_channels / g.op.groups) * g.filter.input_channels;
    const std::int32_t filter_zero = byte_at(io, 3, g.filter_type, g.per_channel ? oc : 0);
    std::int64_t sum = 0;
    for (std::size_t ky = 0; ky < g.filter.height; ++ky) {
        const std::size_t iy =
            unpadded(oy * g.op.strides[0] + ky * g.op.dilations[0], g.op.padding[0]);
        for (std::size_t kx = 0; kx < g.filter.width && iy < g.x.height; ++kx) {
            const std::size_t ix =
                unpadded(ox * g.op.strides[1] + kx * g.op.dilations[1], g.op.padding[2]);
            for (std::size_t ic = 0; ic < g.filter.input_channels && ix < g.x.width; ++ic) {
                const std::size_t tap = oc * g.strides.output_channel +
                                        ic * g.strides.input_channel + ky * g.strides.row +
                                        kx * g.strides.column;
                const std::int32_t x =
                    byte_at(io, 0, g.x_type, g.x.at(n, first_channel + ic, iy, ix));
                sum += std::int64_t{x - g.op.input.zero_point} *
                       (byte_at(io, 1, g.filter_type, tap) - filter_zero);
            }
        }
    }
    return sum;
}

void run(const Geometry& g, const runtime::KernelIo& io) {
    for (std::size_t n = 0; n < g.y.batches; ++n) {
        for (std::size_t oc = 0; oc < g.y.channels; ++oc) {
            const double scale = static_cast<double>(g.op.input.scale) *
                                 static_cast<double>(io.input<float>(2)[g.per_channel ? oc : 0]);
            const double bias = g.op.has_bias ? static_cast<double>(io.input<float>(4)[oc]) : 0.0;
            for (std::size_t oy = 0; oy < g.y.height; ++oy) {
                for (std::size_t ox = 0; ox < g.y.width; ++ox) {
                    const auto sum = static_cast<double>(convolve(g, io, {n, oc, oy, ox}));
                    write_quantized(io, g.op.result, g.op.activation, g.y.at(n, oc, oy, ox),
                                    sum * scale + bias);
                }
            }
        }
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_quantized_conv2d(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto op = std::get<ops::QuantizedConv2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& filter = graph.desc(node.inputs[1]);
    const Geometry geometry{
        .op = op,
        .x_type = x.type(),
        .filter_type = filter.type(),
        .x = picture(x.shape(), ops::InputLayout::Nhwc),
        .y = picture(graph.desc(node.outputs[0]).shape(), ops::InputLayout::Nhwc),
        .filter = ops::filter_dims(filter.shape(), op.filter_layout),
        .strides = filter_strides(filter.shape(), ops::filter_axes(op.filter_layout)),
        .per_channel = graph.desc(node.inputs[2]).element_count() > 1,
    };
    return make_kernel([geometry](const runtime::KernelIo& io) { run(geometry, io); });
}

} // namespace sluice::reference
