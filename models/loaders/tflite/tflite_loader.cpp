// SPDX-License-Identifier: Apache-2.0
// A .tflite file as a model: the inputs and outputs of its graph, its metadata.
#include "models/loaders/tflite/tflite_loader.h"

#include <cstddef>
#include <format>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/text.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/metadata.h"
#include "models/loaders/tflite/translator.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// Graph inputs or outputs. Their names are compared with each other, which must stay quick.
constexpr std::size_t kMaxEnds = 1024;

} // namespace

Result<graph::Graph> Translator::run() {
    SLUICE_TRY(add_inputs());
    SLUICE_TRY(add_operators());
    if (!missing_.empty()) {
        return std::unexpected(missing_.error());
    }
    SLUICE_TRY_ASSIGN(auto outputs, collect_outputs());
    return translation_.builder.build(std::move(outputs));
}

Status Translator::add_inputs() {
    const auto* inputs = file().graph().inputs();
    if (inputs != nullptr && inputs->size() > kMaxEnds) {
        return fail(ErrorCode::Unsupported, "{} graph inputs", inputs->size());
    }
    for (flatbuffers::uoffset_t i = 0; inputs != nullptr && i < inputs->size(); ++i) {
        SLUICE_TRY_ASSIGN(const std::size_t tensor, checked(inputs->Get(i), "a graph input"));
        auto& value = translation_.values[tensor];
        if (value.state != State::Missing) {
            return fail(ErrorCode::Parse, "{} is an input twice", file().title(tensor));
        }
        SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, file().desc(tensor));
        const std::string name = unique_name(names_, file().name(tensor), "input", i);
        SLUICE_TRY_ASSIGN(value.id, translation_.builder.input(name, desc));
        value.state = State::Known;
    }
    return {};
}

Result<std::vector<graph::NamedOperand>> Translator::collect_outputs() {
    const auto* listed = file().graph().outputs();
    if (listed == nullptr || listed->size() == 0) {
        return fail(ErrorCode::Parse, "the graph has no outputs");
    }
    if (listed->size() > kMaxEnds) {
        return fail(ErrorCode::Unsupported, "{} graph outputs", listed->size());
    }
    std::vector<graph::NamedOperand> outputs;
    std::set<OperandId> used;
    for (flatbuffers::uoffset_t i = 0; i < listed->size(); ++i) {
        SLUICE_TRY_ASSIGN(const std::size_t tensor, checked(listed->Get(i), "a graph output"));
        const auto& value = translation_.values[tensor];
        if (value.state != State::Known) {
            return fail(ErrorCode::Parse, "{} is an output that nothing computes",
                        file().title(tensor));
        }
        OperandId id = value.id;
        // A graph's outputs are results, each of its own.
        const auto kind = translation_.builder.operand(id).kind;
        if (kind != graph::OperandKind::Result || !used.insert(id).second) {
            SLUICE_TRY_ASSIGN(id, translation_.builder.identity(id));
        }
        outputs.push_back({unique_name(names_, file().name(tensor), "output", i), id});
    }
    return outputs;
}

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions&) {
    SLUICE_TRY_ASSIGN(const File file, File::open(bytes));
    SLUICE_TRY_ASSIGN(graph::Graph graph, Translator(file).run());
    return LoadedModel{.graph = std::move(graph), .info = read_metadata(file)};
}

} // namespace sluice::models::tflite
