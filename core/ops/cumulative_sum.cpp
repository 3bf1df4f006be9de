// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN cumulativeSum.
#include "core/ops/cumulative_sum.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const CumulativeSum& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (graph::size_of(input.type()) == 1) {
        return fail(ErrorCode::InvalidArgument,
                    "input has type {}, only floats and integers of 32 or 64 bits are allowed",
                    graph::name(input.type()));
    }
    SLUICE_TRY(rules::axis(input, op.axis));
    return rules::output(input.type(), input.shape());
}

std::string describe(const CumulativeSum& op) {
    return AttributeText()
        .add("axis", op.axis)
        .flag("exclusive", op.exclusive)
        .flag("reversed", op.reversed)
        .take();
}

} // namespace sluice::ops
