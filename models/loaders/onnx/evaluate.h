// SPDX-License-Identifier: Apache-2.0
// The constant evaluator: operators on values that are known while the file is loaded, so that the
// arithmetic of shapes never becomes part of the graph.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

// Nothing: the inputs are not known, or too large; then the operator's mapping has to do.
using Evaluation = Result<std::optional<Outputs>>;
using Evaluator = Evaluation (*)(Operation&);

// evaluate.cpp: what needs shapes only, or makes tensors of nothing
Evaluation evaluate_constant(Operation& op);
Evaluation evaluate_constant_of_shape(Operation& op);
Evaluation evaluate_range(Operation& op);
Evaluation evaluate_shape(Operation& op);
Evaluation evaluate_size(Operation& op);

// evaluate_arithmetic.cpp
enum class Arithmetic : std::uint8_t {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Min,
    Max,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    Xor,
};
[[nodiscard]] Evaluation evaluate_arithmetic(Operation& op, Arithmetic kind);
template <Arithmetic kKind>
[[nodiscard]] Evaluation arithmetic(Operation& op) {
    return evaluate_arithmetic(op, kKind);
}
enum class Function : std::uint8_t { Abs, Ceil, Floor, Identity, Neg, Not, Sqrt };
[[nodiscard]] Evaluation evaluate_function(Operation& op, Function kind);
template <Function kKind>
[[nodiscard]] Evaluation function(Operation& op) {
    return evaluate_function(op, kKind);
}
enum class Fold : std::uint8_t { Max, Min, Product, Sum };
[[nodiscard]] Evaluation evaluate_fold(Operation& op, Fold kind);
template <Fold kKind>
[[nodiscard]] Evaluation fold(Operation& op) {
    return evaluate_fold(op, kKind);
}
Evaluation evaluate_cast(Operation& op);
Evaluation evaluate_where(Operation& op);

// evaluate_moves.cpp
Evaluation evaluate_concat(Operation& op);
Evaluation evaluate_expand(Operation& op);
Evaluation evaluate_flatten(Operation& op);
Evaluation evaluate_gather(Operation& op);
Evaluation evaluate_non_zero(Operation& op);
Evaluation evaluate_reshape(Operation& op);
Evaluation evaluate_slice(Operation& op);
Evaluation evaluate_split(Operation& op);
Evaluation evaluate_squeeze(Operation& op);
Evaluation evaluate_tile(Operation& op);
Evaluation evaluate_transpose(Operation& op);
Evaluation evaluate_unsqueeze(Operation& op);

// All inputs that are there, or nothing where one is not known.
[[nodiscard]] Result<std::optional<std::vector<LiteralPtr>>> known_inputs(Operation& op);
// Zeros of these dimensions, taken from the load budget; nothing where they are too many.
[[nodiscard]] Result<std::optional<Literal>> blank(Operation& op, ElementType type,
                                                   std::vector<std::int64_t> dims);

} // namespace sluice::models::onnx
