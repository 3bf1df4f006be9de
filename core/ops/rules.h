// SPDX-License-Identifier: Apache-2.0
// Validation steps that several operators share: counts, types and ranks of operands, and the size
// of a window sliding along an axis.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/unary.h"

namespace sluice::ops::rules {

using Inputs = std::span<const graph::TensorDesc>;
using Outputs = Result<std::vector<graph::TensorDesc>>;

// The number of operands is within least..most.
[[nodiscard]] inline Status count(Inputs inputs, std::size_t least, std::size_t most) {
    if (inputs.size() >= least && inputs.size() <= most) {
        return {};
    }
    if (least == most) {
        return fail(ErrorCode::InvalidArgument, "{} operands given where {} are needed",
                    inputs.size(), least);
    }
    return fail(ErrorCode::InvalidArgument, "{} operands given where {} to {} are needed",
                inputs.size(), least, most);
}

[[nodiscard]] inline Status floats(const graph::TensorDesc& desc, std::string_view operand) {
    if (graph::is_float(desc.type())) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} has type {}, only float32 and float16 are allowed",
                operand, graph::name(desc.type()));
}

[[nodiscard]] inline Status same_type(const graph::TensorDesc& desc, std::string_view operand,
                                      const graph::TensorDesc& first, std::string_view first_name) {
    if (desc.type() == first.type()) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} has type {} but {} has type {}", operand,
                graph::name(desc.type()), first_name, graph::name(first.type()));
}

[[nodiscard]] inline Status rank(const graph::TensorDesc& desc, std::string_view operand,
                                 std::size_t needed) {
    if (desc.rank() == needed) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} {} has rank {}, not {}", operand,
                graph::to_string(desc), desc.rank(), needed);
}

[[nodiscard]] inline Status axis(const graph::TensorDesc& desc, std::uint32_t axis) {
    if (axis < desc.rank()) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "axis {} is out of range for {} of rank {}", axis,
                graph::to_string(desc), desc.rank());
}

// Both numbers of a height and width pair are at least 1.
[[nodiscard]] inline Status positive(const std::array<std::uint32_t, 2>& pair,
                                     std::string_view what) {
    if (pair[0] != 0 && pair[1] != 0) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} [{},{}] must be at least 1", what, pair[0],
                pair[1]);
}

// The bias of a convolution: the input's type, shape [channels].
[[nodiscard]] inline Status bias(const graph::TensorDesc& desc, const graph::TensorDesc& input,
                                 std::uint32_t channels) {
    SLUICE_TRY(same_type(desc, "bias", input, "input"));
    if (desc.shape() == graph::Shape{channels}) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "bias has shape {}, not [{}]",
                graph::to_string(desc.shape()), channels);
}

// The single output of an operator; a failure says what of its shape is impossible.
[[nodiscard]] inline Outputs output(graph::DataType type, const graph::Shape& shape) {
    auto desc = graph::TensorDesc::create(type, shape);
    if (!desc) {
        return std::unexpected(std::move(desc).error().within("output"));
    }
    return std::vector{*desc};
}

// An activation in an epilogue is a unary operator on the output that keeps its type.
[[nodiscard]] inline Outputs with_epilogue(const Activation& activation, Outputs outputs) {
    if (!outputs || activation.kind == UnaryKind::Identity) {
        return outputs;
    }
    const auto activated = infer(Unary{.function = activation}, *outputs);
    if (!activated) {
        return fail(ErrorCode::InvalidArgument, "epilogue {}: {}", name(activation.kind),
                    activated.error().message);
    }
    if (*activated != *outputs) {
        return fail(ErrorCode::InvalidArgument, "epilogue {} changes the type to {}",
                    name(activation.kind), graph::name(activated->front().type()));
    }
    return outputs;
}

// Extent of a dilated window: (size - 1) * dilation + 1. Exact: both factors have 32 bits.
[[nodiscard]] constexpr std::uint64_t dilated(std::uint32_t size, std::uint32_t dilation) {
    return (std::uint64_t{size} - 1) * dilation + 1;
}

// One spatial axis under a sliding window.
struct WindowAxis {
    std::uint32_t input = 0;
    std::uint32_t window = 1;
    std::uint32_t pad_begin = 0;
    std::uint32_t pad_end = 0;
    std::uint32_t stride = 1; // at least 1
    std::uint32_t dilation = 1;
};

// How many positions the window takes (WebNN "calculate conv2d output sizes"), rounded down, or up
// where asked.
[[nodiscard]] inline Result<std::uint32_t> positions(const WindowAxis& along, std::string_view what,
                                                     bool round_up = false) {
    const std::uint64_t padded = std::uint64_t{along.input} + along.pad_begin + along.pad_end;
    const std::uint64_t extent = dilated(along.window, along.dilation);
    if (extent > padded) {
        return fail(ErrorCode::InvalidArgument, "{} of the window is {}, more than the padded {}",
                    what, extent, padded);
    }
    const std::uint64_t room = padded - extent;
    const std::uint64_t steps = (round_up ? room + along.stride - 1 : room) / along.stride;
    if (steps >= std::numeric_limits<std::uint32_t>::max()) {
        return fail(ErrorCode::InvalidArgument, "{} of the output, {}, is too large", what, steps);
    }
    return static_cast<std::uint32_t>(steps + 1);
}

} // namespace sluice::ops::rules
