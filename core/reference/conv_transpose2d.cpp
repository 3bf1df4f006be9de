// SPDX-License-Identifier: Apache-2.0
// Transposed two-dimensional convolution: for every output element, the inputs that reach it.
#include "core/ops/conv_transpose2d.h"

#include <array>
#include <utility>
#include <variant>

#include "core/reference/convolution.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

struct TransposedGeometry {
    ops::ConvTranspose2d op;
    Picture x;
    Picture y;
    ops::FilterDims filter; // output_channels is per group
    FilterStrides strides;
};

// The input position whose tap `k` lands on output position `o` of an axis, or `size` if none does:
// o = i * stride + k * dilation - padding.
std::size_t source(std::size_t o, std::size_t tap_offset, std::size_t padding, std::size_t stride,
                   std::size_t size) {
    const std::size_t reached = unpadded(o + padding, tap_offset);
    const bool inside = o + padding >= tap_offset && reached % stride == 0;
    return inside && reached / stride < size ? reached / stride : size;
}

// The sum of products behind one output element.
template <typename T>
double convolve_transposed(const TransposedGeometry& g, const T* x, const T* filter,
                           std::array<std::size_t, 4> at) {
    const auto [n, oc, oy, ox] = at;
    const std::size_t group = oc / g.filter.output_channels;
    const std::size_t channel = oc % g.filter.output_channels;
    const std::size_t inputs_per_group = g.x.channels / g.op.groups;
    double sum = 0.0;
    for (std::size_t ky = 0; ky < g.filter.height; ++ky) {
        const std::size_t iy =
            source(oy, ky * g.op.dilations[0], g.op.padding[0], g.op.strides[0], g.x.height);
        for (std::size_t kx = 0; kx < g.filter.width && iy < g.x.height; ++kx) {
            const std::size_t ix =
                source(ox, kx * g.op.dilations[1], g.op.padding[2], g.op.strides[1], g.x.width);
            for (std::size_t i = 0; i < inputs_per_group && ix < g.x.width; ++i) {
                const std::size_t ic = group * inputs_per_group + i;
                sum +=
                    widen(x[g.x.at(n, ic, iy, ix)]) *
                    widen(filter[ic * g.strides.input_channel + channel * g.strides.output_channel +
                                 ky * g.strides.row + kx * g.strides.column]);
            }
        }
    }
    return sum;
}

template <typename T>
void run_transposed(const TransposedGeometry& g, const runtime::KernelIo& io) {
    const T* const bias = g.op.has_bias ? io.input<T>(2) : nullptr;
    write_convolution(g.y, g.op.activation, bias, io, [&](const std::array<std::size_t, 4>& at) {
        return convolve_transposed(g, io.input<T>(0), io.input<T>(1), at);
    });
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_conv_transpose2d(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto op = std::get<ops::ConvTranspose2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(x.type()));
    const graph::Shape& filter = graph.desc(node.inputs[1]).shape();
    const TransposedGeometry geometry{
        .op = op,
        .x = picture(x.shape(), op.input_layout),
        .y = picture(graph.desc(node.outputs[0]).shape(), op.input_layout),
        .filter = ops::filter_dims(filter, op.filter_layout),
        .strides = filter_strides(filter, ops::filter_axes(op.filter_layout))};
    return make_kernel([geometry, type = x.type()](const runtime::KernelIo& io) {
        visit_float(type,
                    [&]<typename T>(std::type_identity<T>) { run_transposed<T>(geometry, io); });
    });
}

} // namespace sluice::reference
