// SPDX-License-Identifier: Apache-2.0
// Padding on every axis.
#include "core/ops/pad.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <variant>

#include "core/base/float16.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// Truncates and saturates; NaN becomes 0.
template <typename T>
std::uint64_t integer_bits(double value) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(value)) {
        return 0;
    }
    if (value <= static_cast<double>(Limits::min())) {
        return static_cast<std::uint64_t>(Limits::min());
    }
    // max() of 64 bits rounds up to 2^63 or 2^64, which is out of range as well.
    if (value >= static_cast<double>(Limits::max())) {
        return static_cast<std::uint64_t>(Limits::max());
    }
    return static_cast<std::uint64_t>(static_cast<T>(value));
}

std::uint64_t bits_of(graph::DataType type, double value) {
    switch (type) {
    case graph::DataType::Float32: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    case graph::DataType::Float16: return float_to_float16(static_cast<float>(value));
    case graph::DataType::Int32: return integer_bits<std::int32_t>(value);
    case graph::DataType::Uint32: return integer_bits<std::uint32_t>(value);
    case graph::DataType::Int64: return integer_bits<std::int64_t>(value);
    case graph::DataType::Uint64: return integer_bits<std::uint64_t>(value);
    case graph::DataType::Int8: return integer_bits<std::int8_t>(value);
    case graph::DataType::Uint8: return integer_bits<std::uint8_t>(value);
    }
    return 0;
}

Shader pad_shader(std::size_t element_bytes) {
    switch (element_bytes) {
    case 1: return Shader::Pad8;
    case 2: return Shader::Pad16;
    case 4: return Shader::Pad32;
    default: return Shader::Pad64;
    }
}

} // namespace

Status supports_pad(const Context& /*context*/, const graph::Graph& /*graph*/,
                    const graph::Node& /*node*/) {
    return {};
}

Status lower_pad(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Pad>(node.attributes);
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const graph::TensorDesc& y = writer.graph().desc(node.outputs[0]);
    const std::uint64_t bits = bits_of(x.type(), op.value);
    struct Push {
        std::uint32_t outer = 1;
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        Words shape{1, 1, 1, 1, 1, 1, 1, 1};
        Words beginning{};
        Words size{1, 1, 1, 1, 1, 1, 1, 1};
    } push;
    push.low = static_cast<std::uint32_t>(bits);
    push.high = static_cast<std::uint32_t>(bits >> 32U);
    // Axes without padding join the one inside of them, if that has none either.
    std::size_t rank = 0;
    bool was_padded = true;
    for (std::size_t axis = x.rank(); axis-- > 0;) {
        const bool padded = op.beginning[axis] != 0 || op.ending[axis] != 0;
        if (!padded && !was_padded) {
            push.shape[rank - 1] *= y.shape()[axis];
            push.size[rank - 1] *= x.shape()[axis];
            continue;
        }
        push.shape[rank] = y.shape()[axis];
        push.size[rank] = x.shape()[axis];
        push.beginning[rank] = op.beginning[axis];
        was_padded = padded;
        ++rank;
    }
    for (std::size_t axis = 2; axis < rank; ++axis) {
        push.outer *= push.shape[axis];
    }
    const Grid grid = grid_of(push.shape[0], push.shape[1], push.outer, writer.context().profile);
    writer.dispatch({.shader = pad_shader(graph::size_of(x.type())),
                     .constants = {grid.size[0], grid.size[1], static_cast<std::uint32_t>(op.mode)},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = grid.groups});
    return {};
}

} // namespace sluice::vulkan
