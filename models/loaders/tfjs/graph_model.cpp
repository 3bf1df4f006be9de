// SPDX-License-Identifier: Apache-2.0
// Translation of a graph model, node by node, from the outputs back.
#include "models/loaders/tfjs/graph_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/missing.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/evaluate.h"
#include "models/loaders/tfjs/json.h"
#include "models/loaders/tfjs/open_shape.h"
#include "models/loaders/tfjs/operation.h"
#include "models/loaders/tfjs/operators.h"

namespace sluice::models::tfjs {
namespace {

using graph::OperandId;
using nlohmann::json;

constexpr std::size_t kMaxNodes = 100'000;

Result<Node> read_node(const json& entry) {
    Node node;
    if (entry.is_object()) {
        node.name = string_at(entry, "name");
        node.op = string_at(entry, "op");
    }
    if (node.name.empty() || node.op.empty()) {
        return fail(ErrorCode::Parse, "a node without name or operator");
    }
    if (const auto inputs = entry.find("input"); inputs != entry.end() && inputs->is_array()) {
        for (const json& input : *inputs) {
            if (!input.is_string()) {
                return fail(ErrorCode::Parse, "an input of '{}' is no name", clean_text(node.name));
            }
            const auto& name = input.get_ref<const std::string&>();
            if (!name.starts_with('^')) { // control edges order side effects only
                node.inputs.push_back(name);
            }
        }
    }
    if (const auto attributes = entry.find("attr");
        attributes != entry.end() && attributes->is_object()) {
        node.attributes = &*attributes;
    }
    return node;
}

class GraphTranslator {
public:
    GraphTranslator(const json& document, Weights weights, const LoadOptions& options)
        : document_(document), options_(options), translation_(std::move(weights)) {}

    Result<graph::Graph> run() {
        SLUICE_TRY(read_nodes());
        SLUICE_TRY_ASSIGN(const std::vector<WantedOutput> outputs, wanted_outputs());
        // Inputs first, in the file's order, so that graphs keep it.
        for (const Node& node : nodes_) {
            if (node.op == "Placeholder") {
                SLUICE_TRY(add_input(node));
            }
        }
        for (const WantedOutput& output : outputs) {
            SLUICE_TRY(reach(source_of(output.tensor).name));
        }
        if (!missing_.empty()) {
            return std::unexpected(missing_.error());
        }
        SLUICE_TRY_ASSIGN(auto named, collect(outputs));
        return translation_.builder.build(std::move(named));
    }

private:
    Status read_nodes() {
        const auto topology = document_.find("modelTopology");
        const auto nodes = topology != document_.end() && topology->is_object()
                               ? topology->find("node")
                               : topology;
        if (topology == document_.end() || !topology->is_object() || nodes == topology->end() ||
            !nodes->is_array()) {
            return fail(ErrorCode::Parse, "no list of nodes");
        }
        if (nodes->size() > kMaxNodes) {
            return fail(ErrorCode::Unsupported, "{} nodes", nodes->size());
        }
        for (const json& entry : *nodes) {
            SLUICE_TRY_ASSIGN(nodes_.emplace_back(), read_node(entry));
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!by_name_.emplace(nodes_[i].name, i).second) {
                return fail(ErrorCode::Parse, "two nodes are named '{}'",
                            clean_text(nodes_[i].name));
            }
        }
        return {};
    }

    // An output: "name" or "name:1", as inputs are written, and what the signature calls it.
    struct WantedOutput {
        std::string tensor;
        std::string name;
    };

    // The outputs of a signature, if it is of a form that we know.
    [[nodiscard]] std::vector<WantedOutput> outputs_of(const json& signature) const {
        std::vector<WantedOutput> outputs;
        const auto listed = signature.is_object() ? signature.find("outputs") : signature.end();
        if (!signature.is_object() || listed == signature.end() || !listed->is_object()) {
            return outputs;
        }
        for (const auto& [key, tensor] : listed->items()) {
            const std::string name = tensor.is_object() ? string_at(tensor, "name") : "";
            outputs.push_back({.tensor = name.empty() ? key : name, .name = key});
            if (!by_name_.contains(source_of(outputs.back().tensor).name)) {
                return {};
            }
        }
        return outputs;
    }

    // Those of the signature, else the nodes that nobody reads.
    Result<std::vector<WantedOutput>> wanted_outputs() const {
        for (const char* const holder : {"signature", "userDefinedMetadata"}) {
            const auto found = document_.find(holder);
            if (found == document_.end() || !found->is_object()) {
                continue;
            }
            const auto inner = found->find("signature");
            auto outputs = outputs_of(inner == found->end() ? *found : *inner);
            if (!outputs.empty()) {
                return outputs;
            }
        }
        std::set<std::string_view> read;
        for (const Node& node : nodes_) {
            for (const std::string& input : node.inputs) {
                read.insert(source_of(input).name);
            }
        }
        std::vector<WantedOutput> outputs;
        for (const Node& node : nodes_) {
            if (!read.contains(node.name) && node.op != "NoOp" && node.op != "Const" &&
                node.op != "Placeholder") {
                outputs.push_back({.tensor = node.name, .name = node.name});
            }
        }
        if (outputs.empty()) {
            return fail(ErrorCode::Parse, "the graph has no outputs");
        }
        return outputs;
    }

    Status add_input(const Node& node) {
        Operation op(translation_, node);
        std::vector<std::int64_t> dims;
        if (node.attributes != nullptr && node.attributes->contains("shape")) {
            const json& shape = node.attributes->at("shape");
            const json empty = json::array();
            const json* list = &empty;
            if (shape.is_object() && shape.contains("shape") && shape.at("shape").is_object() &&
                shape.at("shape").contains("dim") && shape.at("shape").at("dim").is_array()) {
                list = &shape.at("shape").at("dim");
            }
            for (const json& dim : *list) {
                const json size =
                    dim.is_object() && dim.contains("size") ? dim.at("size") : json(0);
                const std::string text = size.is_string() ? size.get<std::string>() : size.dump();
                const std::int64_t value = std::strtoll(text.c_str(), nullptr, 10);
                dims.push_back(value);
            }
        }
        auto shape = closed_shape(node.name, dims, options_);
        auto type = op.type("dtype");
        if (!shape || !type) {
            return std::unexpected(!shape ? std::move(shape).error()
                                          : std::move(type).error().within(
                                                std::format("input '{}'", clean_text(node.name))));
        }
        SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(*type, *shape));
        const std::string name = unique_name(names_, clean_text(node.name), "input", 0);
        SLUICE_TRY_ASSIGN(const OperandId id, translation_.builder.input(name, desc));
        translation_.values[node.name] = {Value{.id = id}};
        return {};
    }

    // Translates the node of this name after all that it reads. Without recursion: files are deep.
    Status reach(std::string_view name) {
        struct Visit {
            const Node* node;
            std::size_t next; // input to look at
        };
        std::vector<Visit> path;
        std::set<std::string_view> open; // nodes of the path
        const auto enter = [&](std::string_view wanted) -> Status {
            if (translation_.values.contains(wanted)) {
                return {};
            }
            const auto found = by_name_.find(wanted);
            if (found == by_name_.end()) {
                return fail(ErrorCode::Parse, "there is no node '{}'", clean_text(wanted));
            }
            const Node& node = nodes_[found->second];
            if (!open.insert(node.name).second) {
                return fail(ErrorCode::Unsupported, "a loop through '{}' ({})",
                            clean_text(node.name), clean_text(node.op));
            }
            path.push_back({.node = &node, .next = 0});
            return {};
        };
        SLUICE_TRY(enter(name));
        while (!path.empty()) {
            Visit& visit = path.back();
            if (visit.next < visit.node->inputs.size()) {
                const std::string& input = visit.node->inputs[visit.next++];
                SLUICE_TRY(enter(source_of(input).name));
                continue;
            }
            const Node& node = *visit.node;
            path.pop_back();
            open.erase(node.name);
            SLUICE_TRY(translate(node));
        }
        return {};
    }

    // Records what is Unsupported and goes on; anything else ends the load.
    Status translate(const Node& node) {
        std::vector<Value>& values = translation_.values[node.name];
        if (node.op == "Const") {
            const Weight* weight = translation_.weights.find(node.name);
            if (weight == nullptr) {
                return fail(ErrorCode::Parse, "the constant '{}' is not among the weights",
                            clean_text(node.name));
            }
            values = {Value{.weight = weight}};
            return {};
        }
        Operation op(translation_, node);
        const Mapping mapping = find_mapping(node.op);
        const std::string place = std::format("'{}'", clean_text(node.name));
        const bool skipped = std::ranges::any_of(node.inputs, [&](const std::string& input) {
            const auto& found = translation_.values[std::string(source_of(input).name)];
            return !found.empty() && found[0].failed;
        });
        if (skipped) {
            values = {Value{.failed = true}};
            if (mapping == nullptr && !knows(node.op)) {
                missing_.add(std::format("{} ({})", clean_text(node.op), place));
            }
            return {};
        }
        auto known = evaluate(op);
        if (known && *known) {
            return set(values, node, **known);
        }
        if (known && mapping == nullptr) {
            values = {Value{.failed = true}};
            missing_.add(std::format("{} ({})", clean_text(node.op), place));
            return {};
        }
        auto mapped = known ? mapping(op) : std::unexpected(std::move(known).error());
        if (mapped) {
            return set(values, node, *mapped);
        }
        Error error = std::move(mapped).error();
        if (error.code != ErrorCode::Unsupported && error.code != ErrorCode::InvalidArgument) {
            return std::unexpected(
                std::move(error).within(std::format("{} {}", clean_text(node.op), place)));
        }
        values = {Value{.failed = true}};
        missing_.add(std::format("{} ({}: {})", clean_text(node.op), place, error.message));
        return {};
    }

    // Operators that are evaluated, if at all, at load time only.
    [[nodiscard]] static bool knows(std::string_view op) {
        return op == "Shape" || op == "Size" || op == "Rank" || op == "Range";
    }

    static Status set(std::vector<Value>& values, const Node& node, const Outputs& outputs) {
        if (outputs.all.empty()) {
            return fail(ErrorCode::Parse, "'{}' computes nothing", clean_text(node.name));
        }
        values.clear();
        for (const Output& output : outputs.all) {
            Value value;
            if (const auto* id = std::get_if<OperandId>(&output); id != nullptr) {
                value.id = *id;
            } else {
                value.literal = std::get<LiteralPtr>(output);
            }
            values.push_back(std::move(value));
        }
        return {};
    }

    Result<std::vector<graph::NamedOperand>> collect(const std::vector<WantedOutput>& outputs) {
        std::vector<graph::NamedOperand> named;
        std::set<OperandId> used;
        for (const WantedOutput& output : outputs) {
            const Source source = source_of(output.tensor);
            auto& values = translation_.values[std::string(source.name)];
            if (source.output >= values.size()) {
                return fail(ErrorCode::Parse, "nothing computes the output '{}'",
                            clean_text(output.tensor));
            }
            SLUICE_TRY_ASSIGN(OperandId id,
                              materialize(translation_, values[source.output], source.name));
            // A graph's outputs are results, each of its own.
            const auto kind = translation_.builder.operand(id).kind;
            if (kind != graph::OperandKind::Result || !used.insert(id).second) {
                SLUICE_TRY_ASSIGN(id, translation_.builder.identity(id));
            }
            // The first result of a node needs no number.
            const Source shown = source_of(output.name);
            const std::string wanted = shown.output == 0 ? std::string(shown.name) : output.name;
            named.push_back({unique_name(names_, clean_text(wanted), "output", named.size()), id});
        }
        return named;
    }

    const json& document_;
    const LoadOptions& options_;
    Translation translation_;
    Missing missing_;
    std::vector<Node> nodes_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    std::set<std::string> names_; // of graph inputs and outputs
};

} // namespace

Result<graph::Graph> load_graph_model(const json& document, Weights weights,
                                      const LoadOptions& options) {
    return GraphTranslator(document, std::move(weights), options).run();
}

} // namespace sluice::models::tfjs
