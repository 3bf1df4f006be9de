// SPDX-License-Identifier: Apache-2.0
// Mappings of matrix products.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/gemm.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

Result<Outputs> map_gemm(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    SLUICE_TRY_ASSIGN(const std::optional<OperandId> c, op.optional_input(2));
    ops::Gemm options;
    SLUICE_TRY_ASSIGN(options.alpha, op.real("alpha", 1.0));
    SLUICE_TRY_ASSIGN(options.beta, op.real("beta", 1.0));
    SLUICE_TRY_ASSIGN(const std::int64_t a_transpose, op.integer("transA", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t b_transpose, op.integer("transB", 0));
    options.a_transpose = a_transpose != 0;
    options.b_transpose = b_transpose != 0;
    return op.build().gemm(a, b, options, c, op.label());
}

// Vectors are rows on the left and columns on the right, and the 1 is taken away again.
Result<OperandId> multiply(Operation& op, OperandId a, OperandId b) {
    const Shape left = op.shape(a);
    const Shape right = op.shape(b);
    if (left.rank() == 0 || right.rank() == 0) {
        return fail(ErrorCode::Parse, "a product with a scalar");
    }
    if (left.rank() == 1) {
        SLUICE_TRY_ASSIGN(a, op.build().reshape(a, Shape{1, left[0]}, op.label()));
    }
    if (right.rank() == 1) {
        SLUICE_TRY_ASSIGN(b, op.build().reshape(b, Shape{right[0], 1}, op.label()));
    }
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().matmul(a, b, op.label()));
    if (left.rank() != 1 && right.rank() != 1) {
        return product;
    }
    const Shape full = op.shape(product);
    Shape shape;
    for (std::size_t i = 0; i < full.rank(); ++i) {
        const bool dropped = (left.rank() == 1 && i + 2 == full.rank()) ||
                             (right.rank() == 1 && i + 1 == full.rank());
        if (!dropped) {
            shape.push_back(full[i]);
        }
    }
    return op.build().reshape(product, shape, op.label());
}

Result<Outputs> map_matmul(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return multiply(op, a, b);
}

} // namespace sluice::models::onnx
