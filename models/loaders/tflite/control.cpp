// SPDX-License-Identifier: Apache-2.0
// IF without branches: followed where its condition is a constant, else both graphs are computed,
// which have no side effects, and the condition chooses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <format>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"
#include "models/loaders/tflite/translator.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// Of branches in branches, each of which takes its part of the stack.
constexpr std::size_t kMaxDepth = 64;

} // namespace

// The graph with its inputs bound to the arguments, in the state that add_branch() prepared.
Result<std::vector<OperandId>> Translator::run_branch(std::span<const OperandId> arguments) {
    const auto* inputs = file().graph().inputs();
    const std::size_t count = inputs == nullptr ? 0 : inputs->size();
    if (count != arguments.size()) {
        return fail(ErrorCode::Parse, "{} values for a graph of {} inputs", arguments.size(),
                    count);
    }
    for (std::size_t i = 0; i < count; ++i) {
        SLUICE_TRY_ASSIGN(
            const std::size_t tensor,
            checked(inputs->Get(static_cast<flatbuffers::uoffset_t>(i)), "an input of a branch"));
        auto& value = translation_.values[tensor];
        const graph::TensorDesc& given = translation_.builder.desc(arguments[i]);
        SLUICE_TRY_ASSIGN(const graph::TensorDesc stated, file().desc(tensor));
        if (value.state != State::Missing || (file().has_known_shape(tensor) && stated != given) ||
            stated.type() != given.type()) {
            return fail(ErrorCode::Parse, "{} is given for {} of a branch, which is {}",
                        graph::to_string(given), file().title(tensor), graph::to_string(stated));
        }
        value.id = arguments[i];
        value.state = State::Known;
    }
    SLUICE_TRY(add_operators());
    std::vector<OperandId> results;
    const auto* outputs = file().graph().outputs();
    for (flatbuffers::uoffset_t i = 0; outputs != nullptr && i < outputs->size(); ++i) {
        SLUICE_TRY_ASSIGN(const std::size_t tensor,
                          checked(outputs->Get(i), "an output of a branch"));
        if (translation_.values[tensor].state == State::Failed) {
            return fail(ErrorCode::Unsupported, "a branch could not be translated");
        }
        SLUICE_TRY_ASSIGN(results.emplace_back(), stored_tensor(translation_, tensor));
    }
    return results;
}

// A graph that several operators call is translated as often; a small file must not make much of
// that.
Result<std::vector<OperandId>> Translator::add_branch(std::int32_t graph,
                                                      std::span<const OperandId> arguments) {
    SLUICE_TRY_ASSIGN(const File branch, file().with_graph(graph));
    const auto* operators = branch.graph().operators();
    branch_work_ += branch.tensor_count() + (operators == nullptr ? 0 : operators->size());
    if (branch_work_ > branch.bytes().size()) {
        return fail(ErrorCode::Unsupported, "branches make more of the file than it has bytes");
    }
    if (active_.size() >= kMaxDepth) {
        return fail(ErrorCode::Unsupported, "branches lie in branches, {} deep", kMaxDepth);
    }
    if (!active_.insert(graph).second) {
        return fail(ErrorCode::Unsupported, "graph {} calls itself", graph);
    }
    const File* const outer = std::exchange(translation_.file, &branch);
    auto values =
        std::exchange(translation_.values, std::vector<Translation::Value>(branch.tensor_count()));
    auto results = run_branch(arguments);
    translation_.values = std::move(values);
    translation_.file = outer;
    active_.erase(graph);
    return results;
}

Result<Outputs> Translator::map_if(Operation& operation) {
    SLUICE_TRY_ASSIGN(const auto* options, operation.required_options<schema::IfOptions>());
    SLUICE_TRY_ASSIGN(const std::size_t tensor, operation.tensor(0));
    const File& outer = file();
    if (outer.tensor(tensor).type() != schema::TensorType::BOOL) {
        return fail(ErrorCode::Parse, "its condition {} is no BOOL", outer.title(tensor));
    }
    std::vector<OperandId> arguments;
    for (std::size_t i = 1; i < operation.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(arguments.emplace_back(), operation.stored_input(i));
    }
    if (outer.is_constant(tensor)) {
        SLUICE_TRY_ASSIGN(const auto bytes, outer.buffer(outer.tensor(tensor).buffer()));
        const bool holds = !bytes.empty() && bytes[0] != std::byte{0};
        SLUICE_TRY_ASSIGN(auto results, add_branch(holds ? options->then_subgraph_index()
                                                         : options->else_subgraph_index(),
                                                   arguments));
        return Outputs(std::move(results));
    }
    SLUICE_TRY_ASSIGN(OperandId condition, operation.stored_input(0));
    if (operation.desc(condition).element_count() != 1) {
        return fail(ErrorCode::Parse, "its condition is {}, one value is needed",
                    graph::to_string(operation.desc(condition)));
    }
    SLUICE_TRY_ASSIGN(condition, operation.build().reshape(condition, graph::Shape{}));
    SLUICE_TRY_ASSIGN(const auto yes, add_branch(options->then_subgraph_index(), arguments));
    SLUICE_TRY_ASSIGN(const auto no, add_branch(options->else_subgraph_index(), arguments));
    if (yes.size() != no.size()) {
        return fail(ErrorCode::Parse, "its branches have {} and {} results", yes.size(), no.size());
    }
    std::vector<OperandId> chosen;
    for (std::size_t i = 0; i < yes.size(); ++i) {
        if (operation.desc(yes[i]) != operation.desc(no[i])) {
            return fail(ErrorCode::Unsupported,
                        "its condition is not known at load time, and its branches give {} and {}: "
                        "graphs have no branches",
                        graph::to_string(operation.desc(yes[i])),
                        graph::to_string(operation.desc(no[i])));
        }
        SLUICE_TRY_ASSIGN(chosen.emplace_back(),
                          operation.build().where(condition, yes[i], no[i], operation.label()));
    }
    return Outputs(std::move(chosen));
}

} // namespace sluice::models::tflite
