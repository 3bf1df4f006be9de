// SPDX-License-Identifier: Apache-2.0
// The walk over a graph's nodes.
#include "models/loaders/onnx/translator.h"

#include <algorithm>
#include <cstddef>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/operators.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {

using graph::OperandId;
using State = Value::State;

namespace {

constexpr std::size_t kListed = 200; // bounds the message, not what people meet

template <typename... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};

std::string operator_name(const schema::Node& node) {
    const bool is_default = node.domain().empty() || node.domain() == "ai.onnx";
    return clean_text(is_default ? node.op_type() : node.domain() + "." + node.op_type());
}

} // namespace

void Missing::add(std::string text) {
    ++count_;
    if (count_ <= kListed) {
        list_ += (list_.empty() ? "" : ", ") + std::move(text);
    }
}

Error Missing::error() const {
    const std::string more = count_ > kListed ? std::format(" and {} more", count_ - kListed) : "";
    return {.code = ErrorCode::Unsupported,
            .message =
                std::format("{} not supported: {}{}",
                            count_ == 1 ? "1 operator is" : std::format("{} operators are", count_),
                            list_, more)};
}

Status Translator::add_graph(const schema::Graph& graph) {
    SLUICE_TRY(add_initializers(graph));
    return add_nodes(graph);
}

Status Translator::add_initializers(const schema::Graph& graph) {
    if (graph.sparse_initializer_size() != 0) {
        return fail(ErrorCode::Unsupported, "sparse constants; store them as dense ones");
    }
    for (const schema::Tensor& tensor : graph.initializer()) {
        Value value;
        value.tensor = &tensor;
        value.is_bool = tensor.data_type() == schema::Tensor::BOOL;
        if (!translation_.scopes.back().emplace(tensor.name(), value).second) {
            return fail(ErrorCode::Parse, "the constant '{}' exists twice",
                        clean_text(tensor.name()));
        }
    }
    return {};
}

Status Translator::add_nodes(const schema::Graph& graph) {
    for (int i = 0; i < graph.node_size(); ++i) {
        SLUICE_TRY(add_node(static_cast<std::size_t>(i), graph.node(i)));
    }
    return {};
}

Status Translator::add_node(std::size_t index, const schema::Node& node) {
    const std::string name = operator_name(node);
    const std::string label = clean_text(
        !node.name().empty() ? node.name() : (node.output_size() > 0 ? node.output(0) : ""));
    const std::string place = std::format("node {} '{}'", index, label);
    const OperatorRow* const row = find_operator(name);
    if (row == nullptr && name != "If") {
        missing_.add(std::format("{} ({})", name, place));
        return set_failed(node);
    }
    if (row != nullptr && !row->refusal.empty()) {
        missing_.add(std::format("{} ({}: {})", name, place, row->refusal));
        return set_failed(node);
    }
    if (depends_on_failed(node)) {
        return set_failed(node);
    }
    Operation operation(translation_, node, label);
    auto mapped = map(operation, name);
    if (mapped) {
        auto status = set_outputs(node, std::move(*mapped));
        if (!status) {
            return std::unexpected(
                std::move(status).error().within(std::format("{} {}", name, place)));
        }
        return {};
    }
    Error error = std::move(mapped).error();
    if (error.code == ErrorCode::InvalidArgument) {
        // The builder refuses it: a type that WebNN does not have there, or nonsense.
        error.code = reads_other_than_float(node) ? ErrorCode::Unsupported : ErrorCode::Parse;
    }
    const std::string reads = describe_inputs(node);
    if (error.code != ErrorCode::Unsupported) {
        return std::unexpected(
            std::move(error).within(std::format("{} {} of {}", name, place, reads)));
    }
    missing_.add(std::format("{} ({} of {}: {})", name, place, reads, error.message));
    return set_failed(node);
}

Result<Outputs> Translator::map(Operation& operation, const std::string& type) {
    const OperatorRow* const row = find_operator(type);
    if (row == nullptr) {
        return inline_if(operation);
    }
    if (row->evaluate != nullptr) {
        SLUICE_TRY_ASSIGN(auto known, row->evaluate(operation));
        if (known) {
            return std::move(*known);
        }
    }
    if (row->mapping == nullptr) {
        return fail(ErrorCode::Unsupported, "its inputs must be known at load time");
    }
    return row->mapping(operation);
}

bool Translator::depends_on_failed(const schema::Node& node) {
    return std::ranges::any_of(node.input(), [this](const std::string& name) {
        const Value* const value = name.empty() ? nullptr : translation_.find(name);
        return value != nullptr && value->state == State::Failed;
    });
}

bool Translator::reads_other_than_float(const schema::Node& node) {
    return std::ranges::any_of(node.input(), [this](const std::string& name) {
        const Value* const value = name.empty() ? nullptr : translation_.find(name);
        return value != nullptr && value->id != graph::kNoOperand &&
               translation_.builder.desc(value->id).type() != graph::DataType::Float32;
    });
}

std::string Translator::describe_inputs(const schema::Node& node) {
    constexpr int kShown = 8;
    std::string out;
    for (int i = 0; i < node.input_size(); ++i) {
        if (i == kShown) {
            out += std::format(" and {} more", node.input_size() - kShown);
            break;
        }
        const std::string& name = node.input(i);
        const Value* const value = name.empty() ? nullptr : translation_.find(name);
        out += out.empty() ? "" : ", ";
        if (value == nullptr) {
            out += name.empty() ? "nothing" : "an unknown";
        } else if (value->id != graph::kNoOperand) {
            out += graph::to_string(translation_.builder.desc(value->id));
        } else if (value->literal != nullptr) {
            out += std::format("{} of {} elements", type_name(value->literal->type),
                               value->literal->size());
        } else if (value->tensor != nullptr) {
            out += std::format("a constant {}", type_name(value->tensor->data_type()));
        }
    }
    return out.empty() ? "nothing" : out;
}

Status Translator::set_failed(const schema::Node& node) {
    for (const std::string& name : node.output()) {
        if (!name.empty()) {
            translation_.scopes.back()[name].state = State::Failed;
        }
    }
    return {};
}

Status Translator::set_outputs(const schema::Node& node, Outputs outputs) {
    for (int i = 0; i < node.output_size(); ++i) {
        const std::string& name = node.output(i);
        if (name.empty()) {
            continue;
        }
        if (static_cast<std::size_t>(i) >= outputs.all.size()) {
            return fail(ErrorCode::Parse, "it has {} outputs, {} are expected", node.output_size(),
                        outputs.all.size());
        }
        Value value;
        value.is_bool = outputs.is_bool;
        std::visit(Overloaded{
                       [&](OperandId id) { value.id = id; },
                       [&](LiteralPtr& literal) {
                           value.is_bool = literal->type == schema::Tensor::BOOL;
                           value.literal = std::move(literal);
                       },
                       [&](const schema::Tensor* tensor) {
                           value.is_bool = tensor->data_type() == schema::Tensor::BOOL;
                           value.tensor = tensor;
                       },
                   },
                   outputs.all[static_cast<std::size_t>(i)]);
        if (!translation_.scopes.back().emplace(name, std::move(value)).second) {
            return fail(ErrorCode::Parse, "it computes '{}', which exists already",
                        clean_text(name));
        }
    }
    return {};
}

} // namespace sluice::models::onnx
