// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN concat.
#include "core/ops/concat.h"

#include "core/base/checked_math.h"
#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Concat& op,
                                             std::span<const graph::TensorDesc> inputs) {
    if (inputs.empty()) {
        return fail(ErrorCode::InvalidArgument, "no operands given where at least 1 is needed");
    }
    const graph::TensorDesc& first = inputs[0];
    SLUICE_TRY(rules::axis(first, op.axis));
    graph::Shape shape = first.shape();
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        const graph::TensorDesc& next = inputs[i];
        const std::string operand = std::format("operand {}", i);
        SLUICE_TRY(rules::same_type(next, operand, first, "operand 0"));
        SLUICE_TRY(rules::rank(next, operand, first.rank()));
        for (std::size_t axis = 0; axis < first.rank(); ++axis) {
            if (axis != op.axis && next.shape()[axis] != shape[axis]) {
                return fail(ErrorCode::InvalidArgument,
                            "{} has shape {}, which differs from {} on axis {}", operand,
                            graph::to_string(next.shape()), graph::to_string(first.shape()), axis);
            }
        }
        const auto sum = checked_add(shape[op.axis], next.shape()[op.axis]);
        if (!sum) {
            return fail(ErrorCode::InvalidArgument,
                        "the sum of the dimensions on axis {} overflows", op.axis);
        }
        shape[op.axis] = *sum;
    }
    return rules::output(first.type(), shape);
}

std::string describe(const Concat& op) {
    return AttributeText().add("axis", op.axis).take();
}

} // namespace sluice::ops
