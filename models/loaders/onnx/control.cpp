// SPDX-License-Identifier: Apache-2.0
// Control flow that can be decided at load time: If with a known condition.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/translator.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {

Result<Outputs> Translator::inline_if(Operation& operation) {
    if (!operation.is_literal(0)) {
        return fail(ErrorCode::Unsupported,
                    "its condition is not known at load time, and graphs have no branches");
    }
    SLUICE_TRY_ASSIGN(const double condition, operation.scalar(0));
    const std::string_view branch = condition != 0.0 ? "then_branch" : "else_branch";
    SLUICE_TRY_ASSIGN(const schema::Graph* graph, operation.subgraph(branch));
    if (graph == nullptr) {
        return fail(ErrorCode::Parse, "its {} is missing", branch);
    }
    translation_.scopes.emplace_back();
    Status added = add_graph(*graph);
    std::vector<Output> outputs;
    for (const auto& output : graph->output()) {
        if (!added) {
            break;
        }
        Value* const value = translation_.find(output.name());
        if (value == nullptr) {
            added = fail(ErrorCode::Parse, "its {} does not compute '{}'", branch,
                         clean_text(output.name()));
        } else if (value->state == Value::State::Failed) {
            added = fail(ErrorCode::Unsupported, "its {} could not be translated", branch);
        } else if (value->id != graph::kNoOperand) {
            outputs.emplace_back(value->id);
        } else if (value->literal != nullptr) {
            outputs.emplace_back(value->literal);
        } else {
            outputs.emplace_back(value->tensor);
        }
    }
    translation_.scopes.pop_back();
    if (!added) {
        return std::unexpected(std::move(added).error());
    }
    return Outputs(std::move(outputs));
}

} // namespace sluice::models::onnx
