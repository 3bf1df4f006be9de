// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN averagePool2d, l2Pool2d and maxPool2d.
#include "core/ops/pool2d.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

Status check(const Pool2d& op, const graph::TensorDesc& input) {
    if (op.kind != PoolKind::Max) {
        SLUICE_TRY(rules::floats(input, "input"));
    }
    SLUICE_TRY(rules::rank(input, "input", 4));
    SLUICE_TRY(rules::positive(op.strides, "strides"));
    SLUICE_TRY(rules::positive(op.dilations, "dilations"));
    if ((op.window[0] == 0) != (op.window[1] == 0)) {
        return fail(ErrorCode::InvalidArgument, "window [{},{}] must be at least 1 on both axes",
                    op.window[0], op.window[1]);
    }
    if ((op.output_sizes[0] == 0) != (op.output_sizes[1] == 0)) {
        return fail(ErrorCode::InvalidArgument, "output sizes [{},{}] must both be at least 1",
                    op.output_sizes[0], op.output_sizes[1]);
    }
    return {};
}

// Height and width of the output, rounded down or up.
Result<std::array<std::uint32_t, 2>> sizes(const Pool2d& op, const graph::Shape& input,
                                           bool round_up) {
    const std::size_t height_axis = op.layout == InputLayout::Nchw ? 2 : 1;
    std::array<std::uint32_t, 2> out{};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::uint32_t size = input[height_axis + i];
        SLUICE_TRY_ASSIGN(out[i],
                          rules::positions({.input = size,
                                            .window = op.window[0] == 0 ? size : op.window[i],
                                            .pad_begin = op.padding[2 * i],
                                            .pad_end = op.padding[2 * i + 1],
                                            .stride = op.strides[i],
                                            .dilation = op.dilations[i]},
                                           i == 0 ? "height" : "width", round_up));
    }
    return out;
}

} // namespace

std::string_view name(PoolKind kind) {
    switch (kind) {
    case PoolKind::Average: return "average_pool2d";
    case PoolKind::L2: return "l2_pool2d";
    case PoolKind::Max: return "max_pool2d";
    }
    std::unreachable();
}

Result<std::vector<graph::TensorDesc>> infer(const Pool2d& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(check(op, input));
    SLUICE_TRY_ASSIGN(const auto floor, sizes(op, input.shape(), false));
    SLUICE_TRY_ASSIGN(const auto ceil, sizes(op, input.shape(), true));
    auto out = op.rounding == OutputRounding::Ceil ? ceil : floor;
    if (op.output_sizes[0] != 0) {
        if (op.output_sizes != floor && op.output_sizes != ceil) {
            return fail(ErrorCode::InvalidArgument,
                        "output sizes [{},{}] are neither [{},{}] nor [{},{}]", op.output_sizes[0],
                        op.output_sizes[1], floor[0], floor[1], ceil[0], ceil[1]);
        }
        out = op.output_sizes;
    }
    const graph::Shape& in = input.shape();
    return rules::output(input.type(), op.layout == InputLayout::Nchw
                                           ? graph::Shape{in[0], in[1], out[0], out[1]}
                                           : graph::Shape{in[0], out[0], out[1], in[3]});
}

std::string describe(const Pool2d& op) {
    const Pool2d defaults;
    return AttributeText()
        .add("window", op.window, defaults.window)
        .add("padding", op.padding, defaults.padding)
        .add("strides", op.strides, defaults.strides)
        .add("dilations", op.dilations, defaults.dilations)
        .flag("nhwc", op.layout == InputLayout::Nhwc)
        .flag("ceil", op.rounding == OutputRounding::Ceil)
        .add("output_sizes", op.output_sizes, defaults.output_sizes)
        .take();
}

} // namespace sluice::ops
