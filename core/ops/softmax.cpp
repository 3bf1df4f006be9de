// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN softmax.
#include "core/ops/softmax.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Softmax& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    SLUICE_TRY(rules::floats(inputs[0], "input"));
    SLUICE_TRY(rules::axis(inputs[0], op.axis));
    return rules::output(inputs[0].type(), inputs[0].shape());
}

std::string describe(const Softmax& op) {
    return AttributeText().add("axis", op.axis).take();
}

} // namespace sluice::ops
