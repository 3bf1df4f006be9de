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
    using graph::DataType;
    if (input.type() != DataType::Int8 && input.type() != DataType::Uint8 &&
        input.type() != DataType::Int32) {
        return fail(ErrorCode::InvalidArgument,
                    "input has type {}, only int8, uint8 and int32 are allowed",
                    graph::name(input.type()));
    }
    SLUICE_TRY(rules::floats(scale, "scale"));
    SLUICE_TRY(rules::same_type(zero_point, "zero point", input, "input"));
    SLUICE_TRY(rules::rank(scale, "scale", input.rank()));
    if (zero_point.shape() != scale.shape()) {
        return fail(ErrorCode::InvalidArgument, "zero point has shape {} but scale has shape {}",
                    graph::to_string(zero_point.shape()), graph::to_string(scale.shape()));
    }
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        if (input.shape()[axis] % scale.shape()[axis] != 0) {
            return fail(ErrorCode::InvalidArgument,
                        "scale {} does not divide the input {} on axis {}",
                        graph::to_string(scale.shape()), graph::to_string(input.shape()), axis);
        }
    }
    return rules::output(scale.type(), input.shape());
}

} // namespace sluice::ops
