// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN dequantizeLinear.
#include "core/ops/dequantize_linear.h"

#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const DequantizeLinear& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 3, 3));
    const graph::TensorDesc& input = inputs[0];
    const graph::TensorDesc& scale = inputs[1];
    const graph::TensorDesc& zero_point = inputs[2];
    SLUICE_TRY(rules::quantised(input, "input"));
    SLUICE_TRY(rules::floats(scale, "scale"));
    SLUICE_TRY(rules::same_type(zero_point, "zero point", input, "input"));
    SLUICE_TRY(rules::quantisation(input, scale, zero_point));
    return rules::output(scale.type(), input.shape());
}

} // namespace sluice::ops
