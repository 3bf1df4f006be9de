// SPDX-License-Identifier: Apache-2.0
// Two-dimensional convolution, and the epilogue that fusion may have given it.
#include "core/ops/conv2d.h"

#include <array>
#include <optional>
#include <variant>

#include "core/reference/convolution.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

// Everything that the loops need, by name.
struct ConvGeometry {
    ops::Conv2d op;
    Picture x;
    Picture y;
    std::optional<Picture> residual;
    ops::FilterDims filter;
    FilterStrides strides;
};

// The sum of products behind one output element.
template <typename T>
double convolve(const ConvGeometry& g, const T* x, const T* filter, std::array<std::size_t, 4> at) {
    const auto [n, oc, oy, ox] = at;
    const std::size_t channels_per_group = g.filter.output_channels / g.op.groups;
    const std::size_t first_channel = oc / channels_per_group * g.filter.input_channels;
    double sum = 0.0;
    for (std::size_t ky = 0; ky < g.filter.height; ++ky) {
        const std::size_t iy =
            unpadded(oy * g.op.strides[0] + ky * g.op.dilations[0], g.op.padding[0]);
        for (std::size_t kx = 0; kx < g.filter.width && iy < g.x.height; ++kx) {
            const std::size_t ix =
                unpadded(ox * g.op.strides[1] + kx * g.op.dilations[1], g.op.padding[2]);
            for (std::size_t ic = 0; ic < g.filter.input_channels && ix < g.x.width; ++ic) {
                sum += widen(x[g.x.at(n, first_channel + ic, iy, ix)]) *
                       widen(filter[oc * g.strides.output_channel + ic * g.strides.input_channel +
                                    ky * g.strides.row + kx * g.strides.column]);
            }
        }
    }
    return sum;
}

template <typename T>
void run(const ConvGeometry& g, const runtime::KernelIo& io) {
    const T* const bias = g.op.has_bias ? io.input<T>(2) : nullptr;
    const std::size_t residual_input = g.op.has_bias ? 3 : 2;
    write_convolution(g.y, g.op.activation, bias, io, [&](const std::array<std::size_t, 4>& at) {
        double sum = convolve(g, io.input<T>(0), io.input<T>(1), at);
        if (const auto [n, oc, oy, ox] = at; g.residual && oc < g.residual->channels) {
            sum += widen(io.input<T>(residual_input)[g.residual->at(n, oc, oy, ox)]);
        }
        return sum;
    });
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_conv2d(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto op = std::get<ops::Conv2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    const graph::Shape& filter = graph.desc(node.inputs[1]).shape();
    ConvGeometry geometry{.op = op,
                          .x = picture(x.shape(), op.input_layout),
                          .y = picture(graph.desc(node.outputs[0]).shape(), op.input_layout),
                          .residual = {},
                          .filter = ops::filter_dims(filter, op.filter_layout),
                          .strides = filter_strides(filter, ops::filter_axes(op.filter_layout))};
    if (op.has_residual) {
        geometry.residual = picture(graph.desc(node.inputs.back()).shape(), op.input_layout);
    }
    return make_kernel([geometry, type = x.type()](const runtime::KernelIo& io) {
        visit_float(type, [&]<typename T>(std::type_identity<T>) { run<T>(geometry, io); });
    });
}

} // namespace sluice::reference
