// SPDX-License-Identifier: Apache-2.0
// Mappings between data types and storage forms.
#include <cstddef>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::DataType;
using graph::OperandId;

Result<Outputs> map_cast(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::size_t output, op.output_tensor(0));
    const schema::TensorType type = op.file().tensor(output).type();
    if (type == schema::TensorType::BOOL) {
        // Anything but zero is true, also what would truncate to zero.
        SLUICE_TRY_ASSIGN(const OperandId zero, op.number(x, 0.0));
        return op.build().not_equal(x, zero, op.label());
    }
    const auto to = data_type(type);
    if (!to) {
        return fail(ErrorCode::Unsupported, "to the type {}", schema::EnumNameTensorType(type));
    }
    return op.build().cast(x, *to, op.label());
}

// Constants are expanded when they are read.
Result<Outputs> map_densify(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.stored_input(0));
    return x;
}

// float16 weights become casts and integers dequantisations, both of constants as a rule, which
// constant folding then evaluates.
Result<Outputs> map_dequantize(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::size_t tensor, op.tensor(0));
    if (op.file().tensor(tensor).type() == schema::TensorType::FLOAT16) {
        SLUICE_TRY_ASSIGN(const OperandId x, op.stored_input(0));
        return op.build().cast(x, DataType::Float32, op.label());
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.dequantized_input(0));
    return x;
}

// Numbers to a quantised tensor, which every result is stored in as its tensor asks.
Result<Outputs> map_quantize(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return x;
}

} // namespace sluice::models::tflite
