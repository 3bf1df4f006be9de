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
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

// The state of one load that operators share: the graph, and what each tensor became.
struct Translation {
    enum class State : std::uint8_t { Missing, Known, Failed };
    struct Value {
        State state = State::Missing;
        graph::OperandId id = graph::kNoOperand;
        graph::OperandId dequantized = graph::kNoOperand; // of quantised constants
    };

    explicit Translation(const File& source)
        : file(source), budget(source.bytes().size()), values(source.tensor_count()) {}

    const File& file;
    graph::GraphBuilder builder;
    LoadBudget budget;
    std::vector<Value> values; // indexed by tensor
};

// The operands that an operator's mapping produced, in the order of the file's outputs.
struct Outputs {
    Outputs(graph::OperandId id) : ids{id} {}  // NOLINT(google-explicit-constructor)
    Outputs(std::vector<graph::OperandId> all) // NOLINT(google-explicit-constructor)
        : ids(std::move(all)) {}

    std::vector<graph::OperandId> ids;
};

class Operation {
public:
    Operation(Translation& translation, const schema::Operator& op, std::string label)
        : translation_(translation), op_(op), label_(std::move(label)) {}

    [[nodiscard]] graph::GraphBuilder& build() { return translation_.builder; }
    [[nodiscard]] LoadBudget& budget() { return translation_.budget; }
    // The name of the first output's tensor: every node made for the operator carries it.
    [[nodiscard]] std::string_view label() const { return label_; }

    [[nodiscard]] std::size_t input_count() const;
    // False for optional inputs that are absent, given as -1 or left out.
    [[nodiscard]] bool has_input(std::size_t i) const;
    // Input i as an operand. Quantised constants come dequantised; quantised activations are
    // Unsupported.
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

    [[nodiscard]] const File& file() const { return translation_.file; }
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

    // By value: adding operands moves the descriptors.
    [[nodiscard]] graph::Shape shape(graph::OperandId id) { return desc(id).shape(); }
    [[nodiscard]] graph::TensorDesc desc(graph::OperandId id) { return build().desc(id); }
    [[nodiscard]] bool is_float(graph::OperandId id) { return graph::is_float(desc(id).type()); }
    // A constant of one element and the type of `like`.
    [[nodiscard]] Result<graph::OperandId> number(graph::OperandId like, double value);
    // A float32 constant.
    [[nodiscard]] Result<graph::OperandId> table(const graph::Shape& shape,
                                                 std::vector<float> values);
    // The function that the operator has fused to its end.
    [[nodiscard]] Result<graph::OperandId> activate(graph::OperandId x,
                                                    schema::ActivationFunctionType function);

private:
    [[nodiscard]] Result<graph::OperandId> dequantize(graph::OperandId x, std::size_t tensor);

    Translation& translation_;
    const schema::Operator& op_;
    std::string label_;
};

// An axis of the file, which may count from the end, as an index below `rank`.
[[nodiscard]] Result<std::uint32_t> axis_of(std::int64_t axis, std::size_t rank);
// A size or factor of the file, which must be positive.
[[nodiscard]] Result<std::uint32_t> positive(std::int64_t value, std::string_view what);

} // namespace sluice::models::tflite
