// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN where.
#include "core/ops/where.h"

#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Where& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 3, 3));
    if (inputs[0].type() != graph::DataType::Uint8) {
        return fail(ErrorCode::InvalidArgument, "condition has type {}, only uint8 is allowed",
                    graph::name(inputs[0].type()));
    }
    SLUICE_TRY(rules::same_type(inputs[2], "false value", inputs[1], "true value"));
    SLUICE_TRY_ASSIGN(const graph::Shape values,
                      graph::broadcast(inputs[1].shape(), inputs[2].shape()));
    SLUICE_TRY_ASSIGN(const graph::Shape shape, graph::broadcast(inputs[0].shape(), values));
    return rules::output(inputs[1].type(), shape);
}

} // namespace sluice::ops
