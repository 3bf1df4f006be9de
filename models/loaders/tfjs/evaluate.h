// SPDX-License-Identifier: Apache-2.0
// The constant evaluator: operators on values that are known while the file is loaded, so that the
// arithmetic of shapes never becomes part of the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

// Nothing: the inputs are not known, or too large; then the operator's mapping has to do.
using Evaluation = Result<std::optional<Outputs>>;
using Literals = std::vector<LiteralPtr>;

// evaluate.cpp
// The node's outputs where its operator is one of those below and all that it needs is known.
[[nodiscard]] Evaluation evaluate(Operation& op);
// Whether a tensor of these dimensions may be a literal.
[[nodiscard]] bool fits_literal(std::span<const std::int64_t> dims);
// Elements of a tensor that exists, or whose dimensions fit a literal.
[[nodiscard]] std::size_t element_count(std::span<const std::int64_t> dims);

// evaluate_arithmetic.cpp
// Operators on one element, or on two that are broadcast: "Neg", "AddV2".
[[nodiscard]] bool is_element_wise(std::string_view op);
[[nodiscard]] Evaluation evaluate_element_wise(std::string_view op, const Literals& inputs);
Evaluation evaluate_cast(Operation& op, const Literals& inputs);
Evaluation evaluate_max(Operation& op, const Literals& inputs);
Evaluation evaluate_min(Operation& op, const Literals& inputs);
Evaluation evaluate_prod(Operation& op, const Literals& inputs);
Evaluation evaluate_sum(Operation& op, const Literals& inputs);

// evaluate_moves.cpp
Evaluation evaluate_concat(Operation& op, const Literals& inputs);
Evaluation evaluate_expand_dims(Operation& op, const Literals& inputs);
Evaluation evaluate_gather(Operation& op, const Literals& inputs);
Evaluation evaluate_identity(Operation& op, const Literals& inputs);
Evaluation evaluate_pack(Operation& op, const Literals& inputs);
Evaluation evaluate_reshape(Operation& op, const Literals& inputs);
Evaluation evaluate_squeeze(Operation& op, const Literals& inputs);
Evaluation evaluate_strided_slice(Operation& op, const Literals& inputs);
Evaluation evaluate_unpack(Operation& op, const Literals& inputs);

} // namespace sluice::models::tfjs
