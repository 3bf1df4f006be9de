// SPDX-License-Identifier: Apache-2.0
// What a mapping sees: one node of the file, and the graph that is being built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/tensor.h"

namespace sluice::models::onnx {

// What a name of the file stands for: an operand, a stored tensor, values known at load, or several
// of these.
struct Value {
    enum class State : std::uint8_t { Known, Failed };
    State state = State::Known;
    graph::OperandId id = graph::kNoOperand; // once it is in the graph
    const schema::Tensor* tensor = nullptr;  // of initializers
    LiteralPtr literal;                      // where known, or read already
    bool is_bool = false;                    // uint8 in the graph
};

// The state of one load that nodes share. Scopes nest: subgraphs see the names around them.
struct Translation {
    using Scope = std::map<std::string, Value, std::less<>>;

    // `owner` keeps all tensors that values refer to.
    Translation(std::shared_ptr<const void> owner, const LoadOptions& options,
                std::size_t file_bytes)
        : budget(file_bytes),
          source{.owner = std::move(owner), .files = ExternalFiles(options), .budget = budget},
          scopes(1) {}

    // Null where nothing has this name.
    [[nodiscard]] Value* find(std::string_view name);

    graph::GraphBuilder builder;
    LoadBudget budget;
    TensorSource source;
    std::vector<Scope> scopes;
    std::int64_t opset = 0; // of the default domain
};

// One output of a node: computed by the graph, known already, or stored in the file.
using Output = std::variant<graph::OperandId, LiteralPtr, const schema::Tensor*>;

// What a mapping produced, in the order of the node's outputs.
struct Outputs {
    Outputs(graph::OperandId id) : all{id} {} // NOLINT(google-explicit-constructor)
    Outputs(Literal literal)                  // NOLINT(google-explicit-constructor)
        : all{std::make_shared<const Literal>(std::move(literal))} {}
    Outputs(const std::vector<graph::OperandId>& ids) // NOLINT(google-explicit-constructor)
        : all(ids.begin(), ids.end()) {}
    explicit Outputs(std::vector<Output> outputs) : all(std::move(outputs)) {}

    std::vector<Output> all;
    bool is_bool = false; // all of them
};

class Operation {
public:
    Operation(Translation& translation, const schema::Node& node, std::string label)
        : translation_(translation), node_(node), label_(std::move(label)) {}

    [[nodiscard]] graph::GraphBuilder& build() { return translation_.builder; }
    [[nodiscard]] LoadBudget& budget() { return translation_.budget; }
    // Every operand made for the node carries it.
    [[nodiscard]] std::string_view label() const { return label_; }
    [[nodiscard]] std::int64_t opset() const { return translation_.opset; }

    [[nodiscard]] std::size_t input_count() const {
        return static_cast<std::size_t>(node_.input_size());
    }
    // False for optional inputs that are absent: without a name, or left out.
    [[nodiscard]] bool has_input(std::size_t i) const;
    [[nodiscard]] Result<graph::OperandId> input(std::size_t i);
    // Nothing where the input is absent.
    [[nodiscard]] Result<std::optional<graph::OperandId>> optional_input(std::size_t i);
    // Whether the values of input i are known now and few enough to be read.
    [[nodiscard]] bool is_literal(std::size_t i);
    // Unsupported where they are not: shapes must be known at load time.
    [[nodiscard]] Result<LiteralPtr> literal(std::size_t i);
    // The values of a literal of integers.
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i);
    // The value of a literal of one element.
    [[nodiscard]] Result<double> scalar(std::size_t i);
    // The dimensions of input i, which may be an empty literal.
    [[nodiscard]] Result<std::vector<std::int64_t>> dims(std::size_t i);
    // The type of input i as the file has it: bool is told from uint8 where that is known.
    [[nodiscard]] Result<ElementType> type(std::size_t i);

    [[nodiscard]] std::size_t output_count() const {
        return static_cast<std::size_t>(node_.output_size());
    }
    // Whether anything may read output i.
    [[nodiscard]] bool has_output(std::size_t i) const;

    // Attributes, or what the format gives them as defaults. Parse where one has another type.
    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    [[nodiscard]] Result<std::int64_t> integer(std::string_view name, std::int64_t otherwise) const;
    [[nodiscard]] Result<double> real(std::string_view name, double otherwise) const;
    [[nodiscard]] Result<std::string> text(std::string_view name, std::string_view otherwise) const;
    // Empty where absent.
    [[nodiscard]] Result<std::vector<std::int64_t>> integer_list(std::string_view name) const;
    [[nodiscard]] Result<std::vector<double>> real_list(std::string_view name) const;
    [[nodiscard]] Result<std::vector<std::string>> text_list(std::string_view name) const;
    // Null where absent.
    [[nodiscard]] Result<const schema::Tensor*> tensor(std::string_view name) const;
    [[nodiscard]] Result<const schema::Graph*> subgraph(std::string_view name) const;
    // List `name` of attributes, or input i, which newer versions of an operator use. Nothing where
    // both are absent.
    [[nodiscard]] Result<std::optional<std::vector<std::int64_t>>>
    integers_of(std::string_view name, std::size_t i);

    // By value: adding operands moves the descriptors.
    [[nodiscard]] graph::Shape shape(graph::OperandId id) { return desc(id).shape(); }
    [[nodiscard]] graph::TensorDesc desc(graph::OperandId id) { return build().desc(id); }
    [[nodiscard]] bool is_float(graph::OperandId id) { return graph::is_float(desc(id).type()); }
    // A constant of one element and the type of `like`.
    [[nodiscard]] Result<graph::OperandId> number(graph::OperandId like, double value);
    // A constant of float32, or float16 where `like` is that.
    [[nodiscard]] Result<graph::OperandId> table(graph::OperandId like, const graph::Shape& shape,
                                                 std::vector<double> values);
    // x itself where it has the shape already.
    [[nodiscard]] Result<graph::OperandId> reshaped(graph::OperandId x, const graph::Shape& shape);
    [[nodiscard]] Result<graph::OperandId> add_constant(const Literal& literal);

    [[nodiscard]] Translation& translation() { return translation_; }
    [[nodiscard]] const schema::Node& node() const { return node_; }

private:
    [[nodiscard]] const schema::Attribute* find(std::string_view name) const;
    [[nodiscard]] Result<Value*> value(std::size_t i);

    Translation& translation_;
    const schema::Node& node_;
    std::string label_;
};

// The operand of a value, added to the graph where it is not in it yet. `name` is for messages.
[[nodiscard]] Result<graph::OperandId> materialize(Translation& translation, Value& value,
                                                   std::string_view name);

// An axis of the file, which may count from the end, as an index below `rank`.
[[nodiscard]] Result<std::uint32_t> axis_of(std::int64_t axis, std::size_t rank);
[[nodiscard]] Result<std::vector<std::uint32_t>> axes_of(const std::vector<std::int64_t>& axes,
                                                         std::size_t rank);
// A size or factor of the file, which must be positive.
[[nodiscard]] Result<std::uint32_t> positive(std::int64_t value, std::string_view what);
// The same, where 0 will do.
[[nodiscard]] Result<std::uint32_t> not_negative(std::int64_t value, std::string_view what);

} // namespace sluice::models::onnx
