// SPDX-License-Identifier: Apache-2.0
// Mappings of convolutions. ONNX's layouts, NCHW and OIHW or IOHW, are WebNN's defaults.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/window.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

// What both directions of convolution have in common.
struct Convolution {
    OperandId x;
    OperandId filter;
    std::optional<OperandId> bias;
    Window window;
    std::array<std::uint32_t, 2> input; // height and width
    std::uint32_t groups = 1;
};

Result<Convolution> convolution_of(Operation& op, OperandId x, OperandId operand_filter,
                                   std::optional<OperandId> bias) {
    Convolution out{};
    out.x = x;
    out.filter = operand_filter;
    out.bias = bias;
    const Shape filter = op.shape(out.filter);
    if (filter.rank() != op.shape(out.x).rank() || filter.rank() < 3) {
        return fail(ErrorCode::Parse, "a filter {} for an input {}", graph::to_string(filter),
                    graph::to_string(op.shape(out.x)));
    }
    SLUICE_TRY_ASSIGN(out.window, window_of(op, out.x, {filter.begin() + 2, filter.end()}));
    if (out.window.flat) {
        SLUICE_TRY_ASSIGN(out.x, raised(op, out.x));
        SLUICE_TRY_ASSIGN(out.filter, raised(op, out.filter));
    }
    const Shape shape = op.shape(out.x);
    out.input = {shape[2], shape[3]};
    SLUICE_TRY_ASSIGN(const std::int64_t groups, op.integer("group", 1));
    SLUICE_TRY_ASSIGN(out.groups, positive(groups, "group"));
    return out;
}

// Of the first three inputs.
Result<Convolution> convolution_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId filter, op.input(1));
    SLUICE_TRY_ASSIGN(const std::optional<OperandId> bias, op.optional_input(2));
    return convolution_of(op, x, filter, bias);
}

} // namespace

Result<OperandId> convolve(Operation& op, OperandId x, OperandId filter,
                           std::optional<OperandId> bias) {
    SLUICE_TRY_ASSIGN(Convolution conv, convolution_of(op, x, filter, bias));
    SLUICE_TRY(resolve_same(conv.window, conv.input));
    const auto& [height, width] = conv.window.axes;
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().conv2d(conv.x, conv.filter,
                                        {.padding = {height.pad_begin, height.pad_end,
                                                     width.pad_begin, width.pad_end},
                                         .strides = {height.stride, width.stride},
                                         .dilations = {height.dilation, width.dilation},
                                         .groups = conv.groups},
                                        conv.bias, op.label()));
    return conv.window.flat ? lowered(op, y) : Result<OperandId>(y);
}

Result<Outputs> map_conv(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId filter, op.input(1));
    SLUICE_TRY_ASSIGN(const std::optional<OperandId> bias, op.optional_input(2));
    SLUICE_TRY_ASSIGN(const OperandId y, convolve(op, x, filter, bias));
    return y;
}

namespace {

// The axis of a transposed convolution for a wanted size of the output: what is too much is cropped
// at both ends, what is missing is added behind.
Status fit(Along& along, std::uint32_t& output_padding, std::uint32_t input, std::int64_t wanted,
           AutoPad auto_pad) {
    SLUICE_TRY_ASSIGN(const std::uint32_t size, positive(wanted, "output_shape"));
    const auto full = static_cast<std::int64_t>((std::uint64_t{input} - 1) * along.stride +
                                                along.extent() + output_padding);
    const std::int64_t total = full - size;
    if (total < 0) {
        along.pad_begin = 0;
        along.pad_end = 0;
        SLUICE_TRY_ASSIGN(output_padding, positive(output_padding - total, "output_padding"));
        return {};
    }
    SLUICE_TRY_ASSIGN(const std::uint32_t crop, not_negative(total, "padding"));
    const std::uint32_t half = crop / 2;
    along.pad_begin = auto_pad == AutoPad::SameUpper ? half : crop - half;
    along.pad_end = crop - along.pad_begin;
    return {};
}

} // namespace

Result<Outputs> map_conv_transpose(Operation& op) {
    SLUICE_TRY_ASSIGN(Convolution conv, convolution_of(op));
    SLUICE_TRY_ASSIGN(auto listed, op.integer_list("output_padding"));
    SLUICE_TRY_ASSIGN(auto wanted, op.integer_list("output_shape"));
    const std::size_t spatial = conv.window.flat ? 1 : 2;
    if ((!listed.empty() && listed.size() != spatial) ||
        (!wanted.empty() && wanted.size() < spatial)) {
        return fail(ErrorCode::Parse, "output_padding or output_shape does not fit the input");
    }
    if (wanted.size() > spatial) { // some exporters write batch and channels too
        wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(spatial));
    }
    std::array<std::uint32_t, 2> output_padding{0, 0};
    for (std::size_t i = 0; i < spatial; ++i) {
        const std::size_t axis = 2 - spatial + i;
        Along& along = conv.window.axes[axis];
        if (!listed.empty()) {
            SLUICE_TRY_ASSIGN(output_padding[axis], not_negative(listed[i], "output_padding"));
        }
        if (!wanted.empty()) {
            SLUICE_TRY(fit(along, output_padding[axis], conv.input[axis], wanted[i],
                           conv.window.auto_pad));
        } else if (conv.window.auto_pad == AutoPad::SameUpper ||
                   conv.window.auto_pad == AutoPad::SameLower) {
            SLUICE_TRY(fit(along, output_padding[axis], conv.input[axis],
                           std::int64_t{conv.input[axis]} * along.stride, conv.window.auto_pad));
        }
    }
    const auto& [height, width] = conv.window.axes;
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().conv_transpose2d(conv.x, conv.filter,
                                                  {.padding = {height.pad_begin, height.pad_end,
                                                               width.pad_begin, width.pad_end},
                                                   .strides = {height.stride, width.stride},
                                                   .dilations = {height.dilation, width.dilation},
                                                   .output_padding = output_padding,
                                                   .groups = conv.groups},
                                                  conv.bias, op.label()));
    return conv.window.flat ? lowered(op, y) : Result<OperandId>(y);
}

} // namespace sluice::models::onnx
