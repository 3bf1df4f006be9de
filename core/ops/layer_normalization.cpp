// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN layerNormalization.
#include "core/ops/layer_normalization.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

Status check_factor(const graph::TensorDesc& desc, std::string_view operand,
                    const graph::TensorDesc& input, const graph::Shape& normalised) {
    SLUICE_TRY(rules::same_type(desc, operand, input, "input"));
    if (desc.shape() == normalised) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument, "{} has shape {}, but the axes have the dimensions {}",
                operand, graph::to_string(desc.shape()), graph::to_string(normalised));
}

} // namespace

Result<std::vector<graph::TensorDesc>> infer(const LayerNormalization& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 1U + (op.has_scale ? 1U : 0U) + (op.has_bias ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::distinct_axes(input, op.axes));
    graph::Shape normalised;
    for (const std::uint32_t axis : op.axes) {
        normalised.push_back(input.shape()[axis]);
    }
    if (op.has_scale) {
        SLUICE_TRY(check_factor(inputs[1], "scale", input, normalised));
    }
    if (op.has_bias) {
        SLUICE_TRY(check_factor(inputs.back(), "bias", input, normalised));
    }
    return rules::output(input.type(), input.shape());
}

std::string describe(const LayerNormalization& op) {
    return AttributeText()
        .add("axes", op.axes)
        .add("epsilon", op.epsilon, 1e-5)
        .flag("scale", op.has_scale)
        .flag("bias", op.has_bias)
        .take();
}

} // namespace sluice::ops
