// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN scatterElements.
#include "core/ops/scatter_elements.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const ScatterElements& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 3, 3));
    SLUICE_TRY(rules::element_indices(inputs[1], inputs[0], op.axis));
    SLUICE_TRY(rules::same_type(inputs[2], "updates", inputs[0], "input"));
    if (inputs[2].shape() != inputs[1].shape()) {
        return fail(ErrorCode::InvalidArgument, "updates has shape {} but indices has shape {}",
                    graph::to_string(inputs[2].shape()), graph::to_string(inputs[1].shape()));
    }
    return rules::output(inputs[0].type(), inputs[0].shape());
}

std::string describe(const ScatterElements& op) {
    return AttributeText().add("axis", op.axis).take();
}

} // namespace sluice::ops
