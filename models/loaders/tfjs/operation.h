// SPDX-License-Identifier: Apache-2.0
// What a mapping sees: one node of the file, and the graph that is being built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tfjs/weights.h"

namespace sluice::models::tfjs {

// A small tensor whose values are known while the file is loaded: shapes, axes, and what is
// computed of them. Unlike the graph's tensors it may be empty. Doubles hold every type exactly.
struct Literal {
    graph::DataType type = graph::DataType::Int32;
    std::vector<std::int64_t> dims;
    std::vector<double> values; // row-major
};
using LiteralPtr = std::shared_ptr<const Literal>;

// What is larger is left to the graph.
inline constexpr std::size_t kMaxLiteral = 4096;

// What a name of the file stands for: an operand, a stored weight, values known at load, or several
// of these.
struct Value {
    graph::OperandId id = graph::kNoOperand; // once it is in the graph
    const Weight* weight = nullptr;
    LiteralPtr literal;
    bool failed = false; // its operator is one of those that are missing
};

// One output of a node: computed by the graph, or known already.
using Output = std::variant<graph::OperandId, LiteralPtr>;
struct Outputs {
    Outputs(graph::OperandId id) : all{id} {} // NOLINT(google-explicit-constructor)
    Outputs(Literal literal)                  // NOLINT(google-explicit-constructor)
        : all{std::make_shared<const Literal>(std::move(literal))} {}
    Outputs(const std::vector<graph::OperandId>& ids) // NOLINT(google-explicit-constructor)
        : all(ids.begin(), ids.end()) {}
    explicit Outputs(std::vector<Output> outputs) : all(std::move(outputs)) {}

    std::vector<Output> all;
};

// A node of the file. Inputs are "name" or "name:1"; control edges are left out.
struct Node {
    std::string name;
    std::string op;
    std::vector<std::string> inputs;
    const nlohmann::json* attributes = nullptr; // an object, or null
};

// The state of one load that nodes share.
struct Translation {
    explicit Translation(Weights all) : weights(std::move(all)), budget(weights.stored_bytes()) {}

    Weights weights;
    LoadBudget budget;
    graph::GraphBuilder builder;
    std::map<std::string, std::vector<Value>, std::less<>> values; // outputs of a node, by its name
};

class Operation : public tensorflow::Context {
public:
    Operation(Translation& translation, const Node& node)
        : Context(translation.builder, translation.budget, node.name), translation_(translation),
          node_(node) {}

    [[nodiscard]] const Node& node() const { return node_; }
    [[nodiscard]] std::size_t input_count() const { return node_.inputs.size(); }
    [[nodiscard]] Result<graph::OperandId> input(std::size_t i);
    // All of them, from `first` up to but not including `end`.
    [[nodiscard]] Result<std::vector<graph::OperandId>> inputs(std::size_t first, std::size_t end);
    // The values of input i, or null where they are not known now or too many.
    [[nodiscard]] Result<LiteralPtr> find_literal(std::size_t i);
    // The same; Unsupported instead of null.
    [[nodiscard]] Result<LiteralPtr> literal(std::size_t i);
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t i);
    // Of a literal of one element.
    [[nodiscard]] Result<std::int64_t> integer(std::size_t i);
    [[nodiscard]] Result<double> number_input(std::size_t i);
    // The dimensions of input i, which may be an empty literal.
    [[nodiscard]] Result<std::vector<std::int64_t>> dims(std::size_t i);

    // Attributes by name. Parse where one has another form than asked for.
    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    [[nodiscard]] Result<std::int64_t> attribute(std::string_view name,
                                                 std::int64_t otherwise) const;
    [[nodiscard]] Result<double> real(std::string_view name, double otherwise) const;
    [[nodiscard]] bool flag(std::string_view name) const;
    [[nodiscard]] Result<std::string> text(std::string_view name) const; // "" where absent
    [[nodiscard]] Result<std::vector<std::string>> text_list(std::string_view name) const;
    [[nodiscard]] Result<std::vector<std::int64_t>> integer_list(std::string_view name) const;
    // The graph's type for one of the file ("DT_FLOAT"); bool is uint8, int64 is int32.
    [[nodiscard]] Result<graph::DataType> type(std::string_view name) const;
    [[nodiscard]] bool is_bool(std::string_view name) const;

    [[nodiscard]] Result<graph::OperandId> add_constant(const Literal& literal);

private:
    [[nodiscard]] const nlohmann::json* find(std::string_view name) const;
    [[nodiscard]] Result<Value*> value(std::size_t i);

    Translation& translation_;
    const Node& node_;
};

// "name" and the number of the output, of an input as the file writes it.
struct Source {
    std::string_view name;
    std::size_t output = 0;
};
[[nodiscard]] Source source_of(std::string_view input);

// The operand of a value, added to the graph where it is not in it yet.
[[nodiscard]] Result<graph::OperandId> materialize(Translation& translation, Value& value,
                                                   std::string_view name);
// The values of a value, or null.
[[nodiscard]] LiteralPtr literal_of(Value& value);
// Base64 as the file stores texts; Parse where it is none.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

} // namespace sluice::models::tfjs
