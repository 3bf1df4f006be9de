// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN expand.
#include "core/ops/expand.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Expand& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    // First the shape itself: a zero dimension would broadcast from 1.
    SLUICE_TRY_ASSIGN(auto outputs, rules::output(inputs[0].type(), op.shape));
    if (!graph::broadcasts_to(inputs[0].shape(), op.shape)) {
        return fail(ErrorCode::InvalidArgument, "input {} does not broadcast to {}",
                    graph::to_string(inputs[0].shape()), graph::to_string(op.shape));
    }
    return outputs;
}

std::string describe(const Expand& op) {
    return AttributeText().add("shape", op.shape).take();
}

} // namespace sluice::ops
