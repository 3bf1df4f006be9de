// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN gatherElements.
#include "core/ops/gather_elements.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const GatherElements& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    SLUICE_TRY(rules::element_indices(inputs[1], inputs[0], op.axis));
    return rules::output(inputs[0].type(), inputs[1].shape());
}

std::string describe(const GatherElements& op) {
    return AttributeText().add("axis", op.axis).take();
}

} // namespace sluice::ops
