// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of the quantised element-wise operators.
#include "core/ops/quantized_binary.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const QuantizedBinary& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    SLUICE_TRY(rules::bytes(inputs[0], "a"));
    SLUICE_TRY(rules::bytes(inputs[1], "b"));
    if (op.kind != BinaryKind::Add && op.kind != BinaryKind::Sub && op.kind != BinaryKind::Mul) {
        return fail(ErrorCode::InvalidArgument, "{} has no quantised form", name(op.kind));
    }
    if (inputs[0].shape() != inputs[1].shape()) {
        return fail(ErrorCode::InvalidArgument, "b has shape {} but a has shape {}",
                    graph::to_string(inputs[1].shape()), graph::to_string(inputs[0].shape()));
    }
    SLUICE_TRY(rules::quantized_result(op.result, op.activation));
    return rules::output(op.result.type, inputs[0].shape());
}

std::string describe(const QuantizedBinary& op) {
    return AttributeText()
        .add("kind", name(op.kind))
        .add("a_scale", op.a.scale)
        .add("a_zero_point", op.a.zero_point, 0)
        .add("b_scale", op.b.scale)
        .add("b_zero_point", op.b.zero_point, 0)
        .activation(op.activation)
        .add("scale", op.result.quantization.scale, 1.0F)
        .add("zero_point", op.result.quantization.zero_point, 0)
        .take();
}

} // namespace sluice::ops
