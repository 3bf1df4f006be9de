// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN argMin and argMax.
#include "core/ops/arg_min_max.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

std::string_view name(const ArgMinMax& op) {
    return op.is_max ? "arg_max" : "arg_min";
}

Result<std::vector<graph::TensorDesc>> infer(const ArgMinMax& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (op.output_type != graph::DataType::Int32 && op.output_type != graph::DataType::Int64) {
        return fail(ErrorCode::InvalidArgument,
                    "output type {} is not allowed, only int32 and int64",
                    graph::name(op.output_type));
    }
    SLUICE_TRY(rules::axis(input, op.axis));
    graph::Shape shape;
    for (std::size_t i = 0; i < input.rank(); ++i) {
        if (i != op.axis) {
            shape.push_back(input.shape()[i]);
        } else if (op.keep_dimensions) {
            shape.push_back(1);
        }
    }
    return rules::output(op.output_type, shape);
}

std::string describe(const ArgMinMax& op) {
    return AttributeText()
        .add("axis", op.axis)
        .flag("keep_dimensions", op.keep_dimensions)
        .add("output_type", op.output_type, graph::DataType::Int32)
        .take();
}

} // namespace sluice::ops
