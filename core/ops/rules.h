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
#include "core/ops/quantization.h"
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

// The single output of an operator; a failure says what of its shape is impossible.
[[nodiscard]] inline Outputs output(graph::DataType type, const graph::Shape& shape) {
    auto desc = graph::TensorDesc::create(type, shape);
    if (!desc) {
        return std::unexpected(std::move(desc).error().within("output"));
    }
    return std::vector{*desc};
}

// The same of dimensions that may be more than a shape can hold.
[[nodiscard]] inline Outputs output(graph::DataType type, std::span<const std::uint32_t> dims) {
    auto desc = graph::TensorDesc::create(type, dims);
    if (!desc) {
        return std::unexpected(std::move(desc).error().within("output"));
    }
    return std::vector{*desc};
}

// Positions on an axis: the integers that WebNN gathers and scatters by.
[[nodiscard]] inline Status indices(const graph::TensorDesc& desc) {
    if (desc.type() == graph::DataType::Int32 || desc.type() == graph::DataType::Uint32 ||
        desc.type() == graph::DataType::Int64) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument,
                "indices has type {}, only int32, uint32 and int64 are allowed",
                graph::name(desc.type()));
}

// Indices that stand for elements along an axis: the input's shape but for that axis.
[[nodiscard]] inline Status element_indices(const graph::TensorDesc& desc,
                                            const graph::TensorDesc& input, std::uint32_t along) {
    SLUICE_TRY(indices(desc));
    SLUICE_TRY(axis(input, along));
    SLUICE_TRY(rank(desc, "indices", input.rank()));
    for (std::size_t i = 0; i < input.rank(); ++i) {
        if (i != along && desc.shape()[i] != input.shape()[i]) {
            return fail(ErrorCode::InvalidArgument,
                        "indices has shape {}, which differs from the input {} on axis {}",
                        graph::to_string(desc.shape()), graph::to_string(input.shape()), i);
        }
    }
    return {};
}

// The shape that coordinates pick: the leading axes of the indices, then the axes of the input that
// their last axis has no coordinate for.
[[nodiscard]] inline Result<std::vector<std::uint32_t>>
picked_by_coordinates(const graph::TensorDesc& input, const graph::TensorDesc& desc) {
    SLUICE_TRY(indices(desc));
    if (input.rank() == 0 || desc.rank() == 0) {
        return fail(ErrorCode::InvalidArgument,
                    "input has rank {} and indices rank {}, both must be 1 or more", input.rank(),
                    desc.rank());
    }
    const std::uint32_t coordinates = desc.shape()[desc.rank() - 1];
    if (coordinates > input.rank()) {
        return fail(ErrorCode::InvalidArgument, "indices {} has {} coordinates for an input of {}",
                    graph::to_string(desc), coordinates, graph::to_string(input));
    }
    const auto leading = desc.shape().dims().first(desc.rank() - 1);
    const auto rest = input.shape().dims().subspan(coordinates);
    std::vector<std::uint32_t> dims(leading.begin(), leading.end());
    dims.insert(dims.end(), rest.begin(), rest.end());
    return dims;
}

// The scale and the zero point of a (de)quantisation: one shape, whose every dimension divides the
// input's.
[[nodiscard]] inline Status quantisation(const graph::TensorDesc& input,
                                         const graph::TensorDesc& scale,
                                         const graph::TensorDesc& zero_point) {
    SLUICE_TRY(rank(scale, "scale", input.rank()));
    if (zero_point.shape() != scale.shape()) {
        return fail(ErrorCode::InvalidArgument, "zero point has shape {} but scale has shape {}",
                    graph::to_string(zero_point.shape()), graph::to_string(scale.shape()));
    }
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        if (input.shape()[axis] % scale.shape()[axis] != 0) {
            return fail(ErrorCode::InvalidArgument,
                        "scale {} does not divide the input {} on axis {}",
                        graph::to_string(scale.shape()), graph::to_string(input.shape()), axis);
        }
    }
    return {};
}

// The integers of 8 and 32 bits, which quantisation is defined for.
[[nodiscard]] inline Status quantised(const graph::TensorDesc& desc, std::string_view operand) {
    if (!graph::is_float(desc.type()) && graph::size_of(desc.type()) <= 4) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument,
                "{} has type {}, only int32, uint32, int8 and uint8 are allowed", operand,
                graph::name(desc.type()));
}

// The integers of 8 bits, which the quantised operators compute with.
[[nodiscard]] inline Status bytes(const graph::TensorDesc& desc, std::string_view operand) {
    if (is_byte(desc.type())) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} has type {}, only int8 and uint8 are allowed",
                operand, graph::name(desc.type()));
}

// What a quantised operator writes, and the bounds that it applies before.
[[nodiscard]] inline Status quantized_result(const QuantizedResult& result,
                                             const Activation& activation) {
    if (!is_byte(result.type) && result.type != graph::DataType::Float32) {
        return fail(ErrorCode::InvalidArgument,
                    "output type is {}, only int8, uint8 and float32 are allowed",
                    graph::name(result.type));
    }
    if (activation.kind != UnaryKind::Identity && activation.kind != UnaryKind::Relu &&
        activation.kind != UnaryKind::Clamp) {
        return fail(ErrorCode::InvalidArgument, "epilogue {} is none of relu and clamp",
                    name(activation.kind));
    }
    return {};
}

// Axes within the rank, none twice.
[[nodiscard]] inline Status distinct_axes(const graph::TensorDesc& input,
                                          std::span<const std::uint32_t> axes) {
    std::array<bool, graph::kMaxRank> seen{};
    for (const std::uint32_t given : axes) {
        SLUICE_TRY(axis(input, given));
        if (seen[given]) {
            return fail(ErrorCode::InvalidArgument, "axis {} is given twice", given);
        }
        seen[given] = true;
    }
    return {};
}

// An operand of one number a channel: the input's type, shape [channels].
[[nodiscard]] inline Status per_channel(const graph::TensorDesc& desc, std::string_view operand,
                                        const graph::TensorDesc& input, std::uint32_t channels) {
    SLUICE_TRY(same_type(desc, operand, input, "input"));
    if (desc.shape() == graph::Shape{channels}) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} has shape {}, not [{}]", operand,
                graph::to_string(desc.shape()), channels);
}

// The bias of a convolution.
[[nodiscard]] inline Status bias(const graph::TensorDesc& desc, const graph::TensorDesc& input,
                                 std::uint32_t channels) {
    return per_channel(desc, "bias", input, channels);
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
