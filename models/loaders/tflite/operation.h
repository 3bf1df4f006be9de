// SPDX-License-Identifier: Apache-2.0
// What a mapping sees: one operator of the file, and the graph that is being built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

// The state of one load that operators share: the graph, and what each tensor became.
struct Translation {
    enum class State : std::uint8_t { Missing, Known, Failed };
    struct Value {
        State state = State::Missing;
        graph::OperandId id = graph::kNoOperand;
        graph::OperandId dequantized = graph::kNoOperand; // of what is quantised
    };

    explicit Translation(const File& source)
        : file(&source), budget(source.bytes().size()), values(source.tensor_count()) {}

    const File* file; // of the graph that is being translated; outlives it
    graph::GraphBuilder builder;
    LoadBudget budget;
    std::vector<Value> values; // indexed by tensor
};

// A tensor as the file stores it: computed already, or a constant.
[[nodiscard]] Result<graph::OperandId> stored_tensor(Translation& translation, std::size_t index);

// The operands that an operator's mapping produced, in the order of the file's outputs.
struct Outputs {
    Outputs(graph::OperandId id) : ids{id} {}  // NOLINT(google-explicit-constructor)
    Outputs(std::vector<graph::OperandId> all) // NOLINT(google-explicit-constructor)
        : ids(std::move(all)) {}

    std::vector<graph::OperandId> ids;
};

class Operation : public tensorflow::Context {
public:
    // The label is the name of the first output's tensor.
    Operation(Translation& translation, const schema::Operator& op, std::string label)
        : Context(translation.builder, translation.budget, std::move(label)),
          translation_(translation), op_(op) {}

    [[nodiscard]] std::size_t input_count() const;
    // False for optional inputs that are absent, given as -1 or left out.
    [[nodiscard]] bool has_input(std::size_t i) const;
    // Input i as an operand of numbers: what is quantised comes dequantised.
    [[nodiscard]] Result<graph::OperandId> input(std::size_t i);
    // The same as the file stores it.
    [[nodiscard]] Result<graph::OperandId> stored_input(std::size_t i);
    // stored_input() times its scale.
    [[nodiscard]] Result<graph::OperandId> dequantized_input(std::size_t i);
    // The values of an int32 or int64 constant: axes, shapes, paddings.
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i) const;
    // The value of a constant of one float.
    [[nodiscard]] Result<float> scalar(std::size_t i) const;
    // Index of the tensor, for File.
    [[nodiscard]] Result<std::size_t> tensor(std::size_t i) const;

    [[nodiscard]] std::size_t output_count() const;
    // What the file says about output i.
    [[nodiscard]] Result<graph::TensorDesc> output_desc(std::size_t i) const;
    [[nodiscard]] Result<std::size_t> output_tensor(std::size_t i) const;

    [[nodiscard]] const File& file() const { return *translation_.file; }
    [[nodiscard]] std::span<const std::byte> custom_options() const;

    // The operator's options; null where it has none of this type, which stands for the defaults.
    template <typename Options>
    [[nodiscard]] const Options* options() const {
        return op_.builtin_options_type() == schema::BuiltinOptionsTraits<Options>::enum_value
                   ? static_cast<const Options*>(op_.builtin_options())
                   : nullptr;
    }
    // Options without which the operator means nothing.
    template <typename Options>
    [[nodiscard]] Result<const Options*> required_options() const {
        const Options* found = options<Options>();
        if (found == nullptr) {
            return fail(ErrorCode::Parse, "its options are missing");
        }
        return found;
    }

    // A result as the file stores it: floats that stand in a quantised tensor are quantised by its
    // scale. Anything else is left as it is.
    [[nodiscard]] Result<graph::OperandId> stored_result(graph::OperandId y, std::size_t tensor);

    // The function that the operator has fused to its end.
    [[nodiscard]] Result<graph::OperandId> activate(graph::OperandId x,
                                                    schema::ActivationFunctionType function);

private:
    struct Quantization {
        graph::OperandId scale;
        graph::OperandId zero_point;
    };
    // Those of a tensor for x, which has its shape; the zero point is of the given type.
    [[nodiscard]] Result<Quantization> quantization_of(graph::OperandId x, graph::DataType type,
                                                       std::size_t tensor);
    [[nodiscard]] Result<graph::OperandId> dequantize(graph::OperandId x, std::size_t tensor);

    Translation& translation_;
    const schema::Operator& op_;
};

} // namespace sluice::models::tflite
