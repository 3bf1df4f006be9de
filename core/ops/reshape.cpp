// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN reshape.
#include "core/ops/reshape.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Reshape& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    SLUICE_TRY_ASSIGN(auto outputs, rules::output(inputs[0].type(), op.shape));
    if (outputs[0].element_count() != inputs[0].element_count()) {
        return fail(ErrorCode::InvalidArgument, "input {} has {} elements but {} needs {}",
                    graph::to_string(inputs[0].shape()), inputs[0].element_count(),
                    graph::to_string(op.shape), outputs[0].element_count());
    }
    return outputs;
}

std::string describe(const Reshape& op) {
    return AttributeText().add("shape", op.shape).take();
}

} // namespace sluice::ops
