// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN quantizeLinear.
#include "core/ops/quantize_linear.h"

#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const QuantizeLinear& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 3, 3));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::same_type(inputs[1], "scale", input, "input"));
    SLUICE_TRY(rules::quantised(inputs[2], "zero point"));
    SLUICE_TRY(rules::quantisation(input, inputs[1], inputs[2]));
    return rules::output(inputs[2].type(), input.shape());
}

} // namespace sluice::ops
