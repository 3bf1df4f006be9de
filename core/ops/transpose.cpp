// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN transpose.
#include "core/ops/transpose.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Transpose& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (op.permutation.size() != input.rank()) {
        return fail(ErrorCode::InvalidArgument, "permutation of {} axes given for rank {}",
                    op.permutation.size(), input.rank());
    }
    std::array<bool, graph::kMaxRank> seen{};
    graph::Shape shape;
    for (const std::uint32_t axis : op.permutation) {
        SLUICE_TRY(rules::axis(input, axis));
        if (seen[axis]) {
            return fail(ErrorCode::InvalidArgument, "axis {} is given twice", axis);
        }
        seen[axis] = true;
        shape.push_back(input.shape()[axis]);
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Transpose& op) {
    return AttributeText().add("permutation", op.permutation).take();
}

} // namespace sluice::ops
