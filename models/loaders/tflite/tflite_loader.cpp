// SPDX-License-Identifier: Apache-2.0
// Translation of a TFLite graph, operator by operator.
#include "models/loaders/tflite/tflite_loader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/missing.h"
#include "models/loaders/text.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/metadata.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/operators.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {
namespace {

using graph::OperandId;
using State = Translation::State;

// Graph inputs or outputs. Their names are compared with each other, which must stay quick.
constexpr std::size_t kMaxEnds = 1024;

class Translator {
public:
    explicit Translator(const File& file) : file_(file), translation_(file) {}

    Result<graph::Graph> run() {
        SLUICE_TRY(add_inputs());
        if (const auto* operators = file_.graph().operators(); operators != nullptr) {
            for (flatbuffers::uoffset_t i = 0; i < operators->size(); ++i) {
                SLUICE_TRY(add_operator(i, *operators->Get(i)));
            }
        }
        if (!missing_.empty()) {
            return std::unexpected(missing_.error());
        }
        SLUICE_TRY_ASSIGN(auto outputs, collect_outputs());
        return translation_.builder.build(std::move(outputs));
    }

private:
    Result<std::size_t> checked(std::int32_t tensor, std::string_view what) const {
        if (tensor < 0 || static_cast<std::size_t>(tensor) >= file_.tensor_count()) {
            return fail(ErrorCode::Parse, "{} is tensor {} of {}", what, tensor,
                        file_.tensor_count());
        }
        return static_cast<std::size_t>(tensor);
    }

    Status add_inputs() {
        const auto* inputs = file_.graph().inputs();
        if (inputs != nullptr && inputs->size() > kMaxEnds) {
            return fail(ErrorCode::Unsupported, "{} graph inputs", inputs->size());
        }
        for (flatbuffers::uoffset_t i = 0; inputs != nullptr && i < inputs->size(); ++i) {
            SLUICE_TRY_ASSIGN(const std::size_t tensor, checked(inputs->Get(i), "a graph input"));
            auto& value = translation_.values[tensor];
            if (value.state != State::Missing) {
                return fail(ErrorCode::Parse, "{} is an input twice", file_.title(tensor));
            }
            SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, file_.desc(tensor));
            const std::string name = unique_name(names_, file_.name(tensor), "input", i);
            SLUICE_TRY_ASSIGN(value.id, translation_.builder.input(name, desc));
            value.state = State::Known;
        }
        return {};
    }

    // Records what is Unsupported and goes on; anything else ends the load.
    Status add_operator(std::size_t index, const schema::Operator& op) {
        const auto* codes = file_.model().operator_codes();
        if (codes == nullptr || op.opcode_index() >= codes->size()) {
            return fail(ErrorCode::Parse, "operator {} has the unknown code {}", index,
                        op.opcode_index());
        }
        const schema::OperatorCode& code = *codes->Get(op.opcode_index());
        const bool skipped = depends_on_failed(op);
        SLUICE_TRY_ASSIGN(const std::vector<std::size_t> outputs, claim_outputs(index, op));
        const std::string label = outputs.empty() ? std::string() : file_.name(outputs[0]);
        const std::string place = std::format("operator {} '{}'", index, label);
        const Mapping mapping = find_mapping(code);
        if (mapping == nullptr) {
            missing_.add(std::format("{} ({})", operator_name(code), place));
            return {};
        }
        if (skipped) {
            return {};
        }
        Operation operation(translation_, op, label);
        auto mapped = mapping(operation);
        if (mapped) {
            mapped = stored(operation, outputs, *mapped);
        }
        if (mapped) {
            return set_outputs(index, outputs, mapped->ids);
        }
        Error error = std::move(mapped).error();
        if (error.code == ErrorCode::InvalidArgument) {
            // The builder refuses it: a type that WebNN does not have there, or nonsense.
            error.code = all_float(op) ? ErrorCode::Parse : ErrorCode::Unsupported;
        }
        if (error.code != ErrorCode::Unsupported) {
            return std::unexpected(
                std::move(error).within(std::format("{} {}", operator_name(code), place)));
        }
        missing_.add(std::format("{} ({}: {})", operator_name(code), place, error.message));
        return {};
    }

    // The results in the form of their tensors.
    static Result<Outputs> stored(Operation& operation, const std::vector<std::size_t>& outputs,
                                  Outputs made) {
        for (std::size_t i = 0; i < std::min(outputs.size(), made.ids.size()); ++i) {
            SLUICE_TRY_ASSIGN(made.ids[i], operation.stored_result(made.ids[i], outputs[i]));
        }
        return made;
    }

    // The operator's outputs, marked as failed until they are set. Each tensor has one producer.
    Result<std::vector<std::size_t>> claim_outputs(std::size_t index, const schema::Operator& op) {
        std::vector<std::size_t> outputs;
        if (op.outputs() == nullptr) {
            return outputs;
        }
        for (const std::int32_t tensor : *op.outputs()) {
            SLUICE_TRY_ASSIGN(const std::size_t output,
                              checked(tensor, std::format("an output of operator {}", index)));
            auto& value = translation_.values[output];
            if (value.state != State::Missing) {
                return fail(ErrorCode::Parse, "operator {} computes {}, which exists already",
                            index, file_.title(output));
            }
            value.state = State::Failed;
            outputs.push_back(output);
        }
        return outputs;
    }

    [[nodiscard]] bool depends_on_failed(const schema::Operator& op) const {
        return op.inputs() != nullptr &&
               std::ranges::any_of(*op.inputs(), [this](std::int32_t tensor) {
                   return tensor >= 0 && static_cast<std::size_t>(tensor) < file_.tensor_count() &&
                          translation_.values[static_cast<std::size_t>(tensor)].state ==
                              State::Failed;
               });
    }

    [[nodiscard]] bool all_float(const schema::Operator& op) const {
        return op.inputs() == nullptr ||
               std::ranges::all_of(*op.inputs(), [this](std::int32_t tensor) {
                   return tensor < 0 || static_cast<std::size_t>(tensor) >= file_.tensor_count() ||
                          file_.tensor(static_cast<std::size_t>(tensor)).type() ==
                              schema::TensorType::FLOAT32;
               });
    }

    Status set_outputs(std::size_t index, const std::vector<std::size_t>& outputs,
                       const std::vector<OperandId>& ids) {
        if (outputs.size() != ids.size()) {
            return fail(ErrorCode::Parse, "operator {} has {} outputs, {} are expected", index,
                        outputs.size(), ids.size());
        }
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto& computed = translation_.builder.desc(ids[i]);
            if (file_.has_known_shape(outputs[i])) {
                SLUICE_TRY_ASSIGN(const graph::TensorDesc stated, file_.desc(outputs[i]));
                if (stated != computed) {
                    return fail(ErrorCode::Parse, "operator {} computes {} for {}, which is {}",
                                index, graph::to_string(computed), file_.title(outputs[i]),
                                graph::to_string(stated));
                }
            }
            auto& value = translation_.values[outputs[i]];
            value.id = ids[i];
            value.state = State::Known;
        }
        return {};
    }

    Result<std::vector<graph::NamedOperand>> collect_outputs() {
        const auto* listed = file_.graph().outputs();
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
                            file_.title(tensor));
            }
            OperandId id = value.id;
            // A graph's outputs are results, each of its own.
            const auto kind = translation_.builder.operand(id).kind;
            if (kind != graph::OperandKind::Result || !used.insert(id).second) {
                SLUICE_TRY_ASSIGN(id, translation_.builder.identity(id));
            }
            outputs.push_back({unique_name(names_, file_.name(tensor), "output", i), id});
        }
        return outputs;
    }

    const File& file_;
    Translation translation_;
    Missing missing_;
    std::set<std::string> names_; // of graph inputs and outputs
};

} // namespace

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions&) {
    SLUICE_TRY_ASSIGN(const File file, File::open(bytes));
    SLUICE_TRY_ASSIGN(graph::Graph graph, Translator(file).run());
    return LoadedModel{.graph = std::move(graph), .info = read_metadata(file)};
}

} // namespace sluice::models::tflite
