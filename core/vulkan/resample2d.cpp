// SPDX-License-Identifier: Apache-2.0
// Resizing of two axes with half-pixel centres.
#include "core/ops/resample2d.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <variant>
#include <vector>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// Which two positions of an axis a result blends, as resample2d.comp reads it.
struct Blend {
    std::uint32_t low, high;
    float weight; // of high
    std::uint32_t unused = 0;
};

Blend blend_of(std::uint32_t position, double scale, std::uint32_t size, ops::Interpolation mode) {
    const double last = size - 1.0;
    const double centre = (position + 0.5) / scale - 0.5;
    if (mode == ops::Interpolation::Nearest) {
        const auto nearest =
            static_cast<std::uint32_t>(std::clamp(std::ceil(centre - 0.5), 0.0, last));
        return {.low = nearest, .high = nearest, .weight = 0.0F};
    }
    const double inside = std::clamp(centre, 0.0, last);
    const double low = std::floor(inside);
    return {.low = static_cast<std::uint32_t>(low),
            .high = static_cast<std::uint32_t>(std::min(low + 1.0, last)),
            .weight = static_cast<float>(inside - low)};
}

// The table of one axis after that of the other.
std::vector<std::byte> tables(const ops::Resample2d& op, const graph::Shape& x,
                              const graph::Shape& y, const std::array<std::size_t, 2>& order) {
    std::vector<std::byte> bytes;
    for (const std::size_t i : order) {
        const std::uint32_t axis = op.axes[i];
        const double scale = op.sizes[0] == 0 ? static_cast<double>(op.scales[i])
                                              : static_cast<double>(y[axis]) / x[axis];
        for (std::uint32_t position = 0; position < y[axis]; ++position) {
            const Blend blend = blend_of(position, scale, x[axis], op.mode);
            const auto old = bytes.size();
            bytes.resize(old + sizeof(blend));
            std::memcpy(bytes.data() + old, &blend, sizeof(blend));
        }
    }
    return bytes;
}

std::uint32_t product(const graph::Shape& shape, std::uint32_t first, std::uint32_t end) {
    std::uint32_t out = 1;
    for (std::uint32_t axis = first; axis < end; ++axis) {
        out *= shape[axis];
    }
    return out;
}

} // namespace

Status supports_resample2d(const Context& /*context*/, const graph::Graph& graph,
                           const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_resample2d(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Resample2d>(node.attributes);
    const graph::Graph& graph = writer.graph();
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const bool in_order = op.axes[0] < op.axes[1];
    const std::uint32_t first = op.axes[in_order ? 0 : 1];
    const std::uint32_t second = op.axes[in_order ? 1 : 0];
    struct {
        std::uint32_t outer, middle, inner;
        std::uint32_t in_first, in_second, out_first, out_second;
    } const push{.outer = product(x, 0, first),
                 .middle = product(x, first + 1, second),
                 .inner = product(x, second + 1, 4),
                 .in_first = x[first],
                 .in_second = x[second],
                 .out_first = y[first],
                 .out_second = y[second]};
    const DeviceProfile& profile = writer.context().profile;
    const std::array<std::size_t, 2> order{in_order ? 0U : 1U, in_order ? 1U : 0U};
    const RegionId blends = writer.constant(tables(op, x, y, order));
    auto groups = line_of(std::uint64_t{push.out_second} * push.inner, 64, profile);
    groups[1] = limited(std::uint64_t{push.outer} * push.out_first * push.middle, profile);
    writer.dispatch(
        {.shader = by_type(graph, node.inputs[0], Shader::Resample2d, Shader::Resample2dHalf),
         .constants = {std::uint32_t{op.mode == ops::Interpolation::Linear}},
         .buffers = {{writer.region(node.inputs[0]), Access::Read},
                     {blends, Access::Read},
                     {writer.region(node.outputs[0]), Access::Write}},
         .push = to_push(push),
         .groups = groups});
    return {};
}

} // namespace sluice::vulkan
