// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN gemm.
#include "core/ops/gemm.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Gemm& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = op.has_c ? 3 : 2;
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& a = inputs[0];
    const graph::TensorDesc& b = inputs[1];
    SLUICE_TRY(rules::floats(a, "A"));
    SLUICE_TRY(rules::same_type(b, "B", a, "A"));
    SLUICE_TRY(rules::rank(a, "A", 2));
    SLUICE_TRY(rules::rank(b, "B", 2));
    const std::uint32_t a_columns = a.shape()[op.a_transpose ? 0 : 1];
    const std::uint32_t b_rows = b.shape()[op.b_transpose ? 1 : 0];
    if (a_columns != b_rows) {
        return fail(ErrorCode::InvalidArgument, "A has {} columns but B has {} rows", a_columns,
                    b_rows);
    }
    const graph::Shape shape{a.shape()[op.a_transpose ? 1 : 0], b.shape()[op.b_transpose ? 0 : 1]};
    if (op.has_c) {
        SLUICE_TRY(rules::same_type(inputs[2], "C", a, "A"));
        if (!graph::broadcasts_to(inputs[2].shape(), shape)) {
            return fail(ErrorCode::InvalidArgument, "C {} does not broadcast to {}",
                        graph::to_string(inputs[2].shape()), graph::to_string(shape));
        }
    }
    return rules::with_epilogue(op.activation, rules::output(a.type(), shape));
}

std::string describe(const Gemm& op) {
    return AttributeText()
        .add("alpha", op.alpha, 1.0)
        .add("beta", op.beta, 1.0)
        .flag("a_transpose", op.a_transpose)
        .flag("b_transpose", op.b_transpose)
        .activation(op.activation)
        .take();
}

} // namespace sluice::ops
