// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN split.
#include "core/ops/split.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Split& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::axis(input, op.axis));
    if (op.sizes.empty()) {
        return fail(ErrorCode::InvalidArgument, "no sizes given where at least 1 is needed");
    }
    std::vector<graph::TensorDesc> outputs;
    std::uint64_t sum = 0; // of 32-bit numbers, fewer than 2^32 of them
    for (const std::uint32_t size : op.sizes) {
        sum += size;
        graph::Shape shape = input.shape();
        shape[op.axis] = size;
        SLUICE_TRY_ASSIGN(const auto piece, rules::output(input.type(), shape));
        outputs.push_back(piece[0]);
    }
    if (sum != input.shape()[op.axis]) {
        return fail(ErrorCode::InvalidArgument, "sizes sum to {} but axis {} has {} elements", sum,
                    op.axis, input.shape()[op.axis]);
    }
    return outputs;
}

std::string describe(const Split& op) {
    return AttributeText().add("sizes", op.sizes).add("axis", op.axis).take();
}

} // namespace sluice::ops
