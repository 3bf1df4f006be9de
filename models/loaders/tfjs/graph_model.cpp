// SPDX-License-Identifier: Apache-2.0
// Translation of a graph model, node by node, from the outputs back.
#include "models/loaders/tfjs/graph_model.h"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <format>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/missing.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/evaluate.h"
#include "models/loaders/tfjs/open_shape.h"
#include "models/loaders/tfjs/operation.h"
#include "models/loaders/tfjs/operators.h"
#include "models/loaders/tfjs/topology.h"

namespace sluice::models::tfjs {
namespace {

using graph::OperandId;

class GraphTranslator {
public:
    GraphTranslator(const Topology& topology, Weights weights, const LoadOptions& options)
        : topology_(topology), options_(options), translation_(std::move(weights)) {}

    Result<graph::Graph> run() {
        // Inputs first, in the file's order, so that graphs keep it.
        for (const Node& node : topology_.nodes) {
            if (node.op == "Placeholder") {
                SLUICE_TRY(add_input(node));
            }
        }
        for (const WantedOutput& output : topology_.outputs) {
            SLUICE_TRY(reach(source_of(output.tensor).name));
        }
        if (!missing_.empty()) {
            return std::unexpected(missing_.error());
        }
        SLUICE_TRY_ASSIGN(auto named, collect());
        return translation_.builder.build(std::move(named));
    }

private:
    Status add_input(const Node& node) {
        const Operation op(translation_, node);
        auto shape = closed_shape(node.name, placeholder_dims(node), options_);
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
            const auto found = topology_.by_name.find(wanted);
            if (found == topology_.by_name.end()) {
                return fail(ErrorCode::Parse, "there is no node '{}'", clean_text(wanted));
            }
            const Node& node = topology_.nodes[found->second];
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

    Result<std::vector<graph::NamedOperand>> collect() {
        std::vector<graph::NamedOperand> named;
        std::set<OperandId> used;
        for (const WantedOutput& output : topology_.outputs) {
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

    const Topology& topology_;
    const LoadOptions& options_;
    Translation translation_;
    Missing missing_;
    std::set<std::string> names_; // of graph inputs and outputs
};

} // namespace

Result<graph::Graph> load_graph_model(const nlohmann::json& document, Weights weights,
                                      const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(const Topology topology, read_topology(document));
    return GraphTranslator(topology, std::move(weights), options).run();
}

} // namespace sluice::models::tfjs
