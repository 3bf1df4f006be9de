// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN cast.
#include "core/ops/cast.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Cast& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    return rules::output(op.to, inputs[0].shape());
}

std::string describe(const Cast& op) {
    return AttributeText().add("to", op.to).take();
}

} // namespace sluice::ops
