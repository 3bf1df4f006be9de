// SPDX-License-Identifier: Apache-2.0
// Resizing of two axes with half-pixel centres.
#include "core/ops/resample2d.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

// Which two positions of an axis a result blends, and the weight of the second.
struct Blend {
    std::size_t low, high;
    double weight;
};

Blend blend_of(std::size_t position, double scale, std::size_t size, ops::Interpolation mode) {
    const double last = static_cast<double>(size - 1);
    const double centre = (static_cast<double>(position) + 0.5) / scale - 0.5;
    if (mode == ops::Interpolation::Nearest) {
        const auto nearest =
            static_cast<std::size_t>(std::clamp(std::ceil(centre - 0.5), 0.0, last));
        return {nearest, nearest, 0.0};
    }
    const double inside = std::clamp(centre, 0.0, last);
    const double low = std::floor(inside);
    return {static_cast<std::size_t>(low), static_cast<std::size_t>(std::min(low + 1.0, last)),
            inside - low};
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_resample2d(const graph::Graph& graph,
                                                          const graph::Node& node) {
    const auto op = std::get<ops::Resample2d>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    SLUICE_TRY(require_float(x.type()));
    const Strides strides = graph::strides_of(x.shape());
    std::array<double, 2> scales{};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t axis = op.axes[i];
        scales[i] = op.sizes[0] == 0 ? static_cast<double>(op.scales[i])
                                     : static_cast<double>(y.shape()[axis]) /
                                           static_cast<double>(x.shape()[axis]);
    }
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_float(x.type(), [&]<typename T>(std::type_identity<T>) {
            for (std::size_t i = 0; i < y.element_count(); ++i) {
                std::size_t rest = i;
                std::size_t offset = 0; // of the axes that are not resized
                std::array<Blend, 2> blends{};
                for (std::size_t axis = y.rank(); axis-- > 0;) {
                    const std::size_t index = rest % y.shape()[axis];
                    rest /= y.shape()[axis];
                    const auto* found = std::ranges::find(op.axes, axis);
                    if (found == op.axes.end()) {
                        offset += index * strides[axis];
                        continue;
                    }
                    const auto which = static_cast<std::size_t>(found - op.axes.begin());
                    blends[which] = blend_of(index, scales[which], x.shape()[axis], op.mode);
                }
                const auto at = [&](std::size_t first, std::size_t second) {
                    return widen(io.input<T>(
                        0)[offset + first * strides[op.axes[0]] + second * strides[op.axes[1]]]);
                };
                const auto mix = [](double a, double b, double weight) {
                    // An infinity that has no weight must not become NaN.
                    return weight == 0.0 ? a : a * (1.0 - weight) + b * weight;
                };
                const auto& [v, h] = blends;
                const double low = mix(at(v.low, h.low), at(v.low, h.high), h.weight);
                const double high = mix(at(v.high, h.low), at(v.high, h.high), h.weight);
                io.output<T>(0)[i] = narrow<T>(mix(low, high, v.weight));
            }
        });
    });
}

} // namespace sluice::reference
