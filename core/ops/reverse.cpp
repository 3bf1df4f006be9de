// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN reverse.
#include "core/ops/reverse.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Reverse& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    SLUICE_TRY(rules::distinct_axes(inputs[0], op.axes));
    return rules::output(inputs[0].type(), inputs[0].shape());
}

std::string describe(const Reverse& op) {
    return AttributeText().add("axes", op.axes).take();
}

} // namespace sluice::ops
