// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN resample2d.
#include "core/ops/resample2d.h"

#include <cmath>

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

// floor(dimension * scale), in float as the specification computes it.
Result<std::uint32_t> scaled(std::uint32_t dim, float scale, std::uint32_t axis) {
    if (!(scale > 0.0F)) {
        return fail(ErrorCode::InvalidArgument, "scale {} of axis {} is not above 0", scale, axis);
    }
    const float size = std::floor(static_cast<float>(dim) * scale);
    if (size < 1.0F || size >= 0x1p32F) {
        return fail(ErrorCode::InvalidArgument, "scale {} makes dimension {} of axis {} into {}",
                    scale, dim, axis, size);
    }
    return static_cast<std::uint32_t>(size);
}

} // namespace

Result<std::vector<graph::TensorDesc>> infer(const Resample2d& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 4));
    SLUICE_TRY(rules::axis(input, op.axes[0]));
    SLUICE_TRY(rules::axis(input, op.axes[1]));
    if (op.axes[0] == op.axes[1]) {
        return fail(ErrorCode::InvalidArgument, "axis {} is given twice", op.axes[0]);
    }
    const bool by_size = op.sizes[0] != 0 || op.sizes[1] != 0;
    if (by_size) {
        SLUICE_TRY(rules::positive(op.sizes, "sizes"));
    }
    graph::Shape shape = input.shape();
    for (std::size_t i = 0; i < 2; ++i) {
        const std::uint32_t axis = op.axes[i];
        if (by_size) {
            shape[axis] = op.sizes[i];
        } else {
            SLUICE_TRY_ASSIGN(shape[axis], scaled(input.shape()[axis], op.scales[i], axis));
        }
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Resample2d& op) {
    const Resample2d defaults;
    return AttributeText()
        .flag("linear", op.mode == Interpolation::Linear)
        .add("axes", op.axes, defaults.axes)
        .add("sizes", op.sizes, defaults.sizes)
        .add("scales", op.scales, defaults.scales)
        .take();
}

} // namespace sluice::ops
