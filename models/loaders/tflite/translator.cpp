// SPDX-License-Identifier: Apache-2.0
// Translation of a graph's operators, each by its mapping.
#include "models/loaders/tflite/translator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/operators.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// The results in the form of their tensors.
static Result<Outputs> stored(Operation& operation, const std::vector<std::size_t>& outputs,
                              Outputs made) {
    for (std::size_t i = 0; i < std::min(outputs.size(), made.ids.size()); ++i) {
        SLUICE_TRY_ASSIGN(made.ids[i], operation.stored_result(made.ids[i], outputs[i]));
    }
    return made;
}

} // namespace

Result<std::size_t> Translator::checked(std::int32_t tensor, std::string_view what) const {
    if (tensor < 0 || static_cast<std::size_t>(tensor) >= file().tensor_count()) {
        return fail(ErrorCode::Parse, "{} is tensor {} of {}", what, tensor, file().tensor_count());
    }
    return static_cast<std::size_t>(tensor);
}

Status Translator::add_operators() {
    if (const auto* operators = file().graph().operators(); operators != nullptr) {
        for (flatbuffers::uoffset_t i = 0; i < operators->size(); ++i) {
            SLUICE_TRY(add_operator(i, *operators->Get(i)));
        }
    }
    return {};
}

// Records what is Unsupported and goes on; anything else ends the load.
Status Translator::add_operator(std::size_t index, const schema::Operator& op) {
    const auto* codes = file().model().operator_codes();
    if (codes == nullptr || op.opcode_index() >= codes->size()) {
        return fail(ErrorCode::Parse, "operator {} has the unknown code {}", index,
                    op.opcode_index());
    }
    const schema::OperatorCode& code = *codes->Get(op.opcode_index());
    const bool skipped = depends_on_failed(op);
    SLUICE_TRY_ASSIGN(const std::vector<std::size_t> outputs, claim_outputs(index, op));
    const std::string label = outputs.empty() ? std::string() : file().name(outputs[0]);
    const std::string place = std::format("operator {} '{}'", index, label);
    const bool is_if = builtin_operator(code) == schema::BuiltinOperator::IF;
    const Mapping mapping = find_mapping(code);
    if (mapping == nullptr && !is_if) {
        missing_.add(std::format("{} ({})", operator_name(code), place));
        return {};
    }
    if (skipped) {
        return {};
    }
    Operation operation(translation_, op, label);
    auto mapped = is_if ? map_if(operation) : mapping(operation);
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

// The operator's outputs, marked as failed until they are set. Each tensor has one producer.
Result<std::vector<std::size_t>> Translator::claim_outputs(std::size_t index,
                                                           const schema::Operator& op) {
    std::vector<std::size_t> outputs;
    if (op.outputs() == nullptr) {
        return outputs;
    }
    for (const std::int32_t tensor : *op.outputs()) {
        SLUICE_TRY_ASSIGN(const std::size_t output,
                          checked(tensor, std::format("an output of operator {}", index)));
        auto& value = translation_.values[output];
        if (value.state != State::Missing) {
            return fail(ErrorCode::Parse, "operator {} computes {}, which exists already", index,
                        file().title(output));
        }
        value.state = State::Failed;
        outputs.push_back(output);
    }
    return outputs;
}

bool Translator::depends_on_failed(const schema::Operator& op) const {
    return op.inputs() != nullptr && std::ranges::any_of(*op.inputs(), [this](std::int32_t tensor) {
               return tensor >= 0 && static_cast<std::size_t>(tensor) < file().tensor_count() &&
                      translation_.values[static_cast<std::size_t>(tensor)].state == State::Failed;
           });
}

bool Translator::all_float(const schema::Operator& op) const {
    return op.inputs() == nullptr || std::ranges::all_of(*op.inputs(), [this](std::int32_t tensor) {
               return tensor < 0 || static_cast<std::size_t>(tensor) >= file().tensor_count() ||
                      file().tensor(static_cast<std::size_t>(tensor)).type() ==
                          schema::TensorType::FLOAT32;
           });
}

Status Translator::set_outputs(std::size_t index, const std::vector<std::size_t>& outputs,
                               const std::vector<OperandId>& ids) {
    if (outputs.size() != ids.size()) {
        return fail(ErrorCode::Parse, "operator {} has {} outputs, {} are expected", index,
                    outputs.size(), ids.size());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& computed = translation_.builder.desc(ids[i]);
        if (file().has_known_shape(outputs[i])) {
            SLUICE_TRY_ASSIGN(const graph::TensorDesc stated, file().desc(outputs[i]));
            if (stated != computed) {
                return fail(ErrorCode::Parse, "operator {} computes {} for {}, which is {}", index,
                            graph::to_string(computed), file().title(outputs[i]),
                            graph::to_string(stated));
            }
        }
        auto& value = translation_.values[outputs[i]];
        value.id = ids[i];
        value.state = State::Known;
    }
    return {};
}

} // namespace sluice::models::tflite
