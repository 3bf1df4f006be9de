// SPDX-License-Identifier: Apache-2.0
// Control flow without branches: If with a known condition, or as a choice between both results.
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/translator.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {

namespace {

Result<graph::OperandId> operand_of(Translation& translation, const Output& output) {
    Value value;
    if (const auto* id = std::get_if<graph::OperandId>(&output)) {
        return *id;
    }
    if (const auto* literal = std::get_if<LiteralPtr>(&output)) {
        value.literal = *literal;
    } else {
        value.tensor = std::get<const schema::Tensor*>(output);
    }
    return materialize(translation, value, "a branch's result");
}

} // namespace

// Adds the branch's nodes and gives what it results in.
Result<std::vector<Output>> Translator::add_branch(Operation& operation, std::string_view branch) {
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
    return outputs;
}

// Nodes have no side effects: both branches are computed, and the condition chooses.
Result<Outputs> Translator::choose(Operation& operation) {
    SLUICE_TRY_ASSIGN(graph::OperandId condition, operation.input(0));
    if (operation.desc(condition).element_count() != 1) {
        return fail(ErrorCode::Parse, "its condition is {}, one value is needed",
                    graph::to_string(operation.desc(condition)));
    }
    SLUICE_TRY_ASSIGN(condition, operation.reshaped(condition, graph::Shape{}));
    SLUICE_TRY_ASSIGN(const std::vector<Output> yes, add_branch(operation, "then_branch"));
    SLUICE_TRY_ASSIGN(const std::vector<Output> no, add_branch(operation, "else_branch"));
    if (yes.size() != no.size()) {
        return fail(ErrorCode::Parse, "its branches have {} and {} results", yes.size(), no.size());
    }
    std::vector<graph::OperandId> chosen;
    for (std::size_t i = 0; i < yes.size(); ++i) {
        SLUICE_TRY_ASSIGN(const graph::OperandId a, operand_of(translation_, yes[i]));
        SLUICE_TRY_ASSIGN(const graph::OperandId b, operand_of(translation_, no[i]));
        if (operation.desc(a) != operation.desc(b)) {
            return fail(ErrorCode::Unsupported,
                        "its condition is not known at load time, and its branches give {} and {}: "
                        "graphs have no branches",
                        graph::to_string(operation.desc(a)), graph::to_string(operation.desc(b)));
        }
        SLUICE_TRY_ASSIGN(const graph::OperandId result,
                          operation.build().where(condition, a, b, operation.label()));
        chosen.push_back(result);
    }
    return Outputs(chosen);
}

Result<Outputs> Translator::inline_if(Operation& operation) {
    if (!operation.is_literal(0)) {
        return choose(operation);
    }
    SLUICE_TRY_ASSIGN(const double condition, operation.scalar(0));
    SLUICE_TRY_ASSIGN(std::vector<Output> outputs,
                      add_branch(operation, condition != 0.0 ? "then_branch" : "else_branch"));
    return Outputs(std::move(outputs));
}

} // namespace sluice::models::onnx
