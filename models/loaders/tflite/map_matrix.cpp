// SPDX-License-Identifier: Apache-2.0
// Mappings of matrix products.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;
using graph::Shape;

Result<Outputs> map_batch_matmul(Operation& op) {
    const auto* options = op.options<schema::BatchMatMulOptions>();
    SLUICE_TRY_ASSIGN(const OperandId a, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId b, op.input(1));
    return tensorflow::matmul(op, a, b, options != nullptr && options->adj_x(),
                              options != nullptr && options->adj_y());
}

// Rows of x times the transposed weights [units, inputs]; the leading dimensions of x are rows.
Result<Outputs> map_fully_connected(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::FullyConnectedOptions>());
    if (options->weights_format() != schema::WeightsFormat::DEFAULT) {
        return fail(ErrorCode::Unsupported, "shuffled weights");
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId weights, op.input(1));
    std::optional<OperandId> bias;
    if (op.has_input(2)) {
        SLUICE_TRY_ASSIGN(bias, op.input(2));
    }
    const Shape shape = op.shape(x);
    const Shape weights_shape = op.shape(weights);
    if (weights_shape.rank() != 2 || shape.element_count() % weights_shape[1] != 0) {
        return fail(ErrorCode::Parse, "weights {} do not fit the input {}",
                    graph::to_string(weights_shape), graph::to_string(shape));
    }
    const auto rows = static_cast<std::uint32_t>(shape.element_count() / weights_shape[1]);
    OperandId matrix = x;
    if (shape != Shape{rows, weights_shape[1]}) {
        SLUICE_TRY_ASSIGN(matrix, op.build().reshape(x, Shape{rows, weights_shape[1]}, op.label()));
    }
    SLUICE_TRY_ASSIGN(OperandId y,
                      op.build().gemm(matrix, weights, {.b_transpose = true}, bias, op.label()));
    if (options->keep_num_dims() && shape.rank() > 0) {
        Shape full = shape;
        full[shape.rank() - 1] = weights_shape[0];
        SLUICE_TRY_ASSIGN(y, op.build().reshape(y, full, op.label()));
    }
    return op.activate(y, options->fused_activation_function());
}

} // namespace sluice::models::tflite
