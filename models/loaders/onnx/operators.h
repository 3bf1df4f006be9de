// SPDX-License-Identifier: Apache-2.0
// The table of ONNX operators.
#pragma once

#include <string_view>

#include "models/loaders/onnx/evaluate.h"
#include "models/loaders/onnx/mappings.h"

namespace sluice::models::onnx {

struct OperatorRow {
    std::string_view name;
    Mapping mapping;               // null: only what is known at load time
    Evaluator evaluate = nullptr;  // tried first, where there is one
    std::string_view refusal = {}; // why there is neither, where there is something to say
};

// Null where the operator of the default domain is not known.
[[nodiscard]] const OperatorRow* find_operator(std::string_view name);

} // namespace sluice::models::onnx
