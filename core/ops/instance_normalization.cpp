// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN instanceNormalization.
#include "core/ops/instance_normalization.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const InstanceNormalization& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 1U + (op.has_scale ? 1U : 0U) + (op.has_bias ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 4));
    const std::uint32_t channels = input.shape()[op.layout == InputLayout::Nchw ? 1 : 3];
    if (op.has_scale) {
        SLUICE_TRY(rules::per_channel(inputs[1], "scale", input, channels));
    }
    if (op.has_bias) {
        SLUICE_TRY(rules::per_channel(inputs.back(), "bias", input, channels));
    }
    return rules::output(input.type(), input.shape());
}

std::string describe(const InstanceNormalization& op) {
    return AttributeText()
        .add("epsilon", op.epsilon, 1e-5)
        .flag("nhwc", op.layout == InputLayout::Nhwc)
        .flag("scale", op.has_scale)
        .flag("bias", op.has_bias)
        .take();
}

} // namespace sluice::ops
