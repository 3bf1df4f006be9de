// SPDX-License-Identifier: Apache-2.0
// Reading of a graph model's nodes.
#include "models/loaders/tfjs/topology.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/json.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

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

Status read_nodes(const json& document, Topology& topology) {
    const auto listed = document.find("modelTopology");
    const auto nodes =
        listed != document.end() && listed->is_object() ? listed->find("node") : listed;
    if (listed == document.end() || !listed->is_object() || nodes == listed->end() ||
        !nodes->is_array()) {
        return fail(ErrorCode::Parse, "no list of nodes");
    }
    if (nodes->size() > kMaxNodes) {
        return fail(ErrorCode::Unsupported, "{} nodes", nodes->size());
    }
    for (const json& entry : *nodes) {
        SLUICE_TRY_ASSIGN(topology.nodes.emplace_back(), read_node(entry));
    }
    for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
        if (!topology.by_name.emplace(topology.nodes[i].name, i).second) {
            return fail(ErrorCode::Parse, "two nodes are named '{}'",
                        clean_text(topology.nodes[i].name));
        }
    }
    return {};
}

// The outputs of a signature, if it is of a form that we know.
std::vector<WantedOutput> outputs_of(const json& signature, const Topology& topology) {
    std::vector<WantedOutput> outputs;
    const auto listed = signature.is_object() ? signature.find("outputs") : signature.end();
    if (!signature.is_object() || listed == signature.end() || !listed->is_object()) {
        return outputs;
    }
    for (const auto& [key, tensor] : listed->items()) {
        const std::string name = tensor.is_object() ? string_at(tensor, "name") : "";
        outputs.push_back({.tensor = name.empty() ? key : name, .name = key});
        if (!topology.by_name.contains(source_of(outputs.back().tensor).name)) {
            return {};
        }
    }
    return outputs;
}

// Those of the signature, else the nodes that nobody reads.
Result<std::vector<WantedOutput>> wanted_outputs(const json& document, const Topology& topology) {
    for (const char* const holder : {"signature", "userDefinedMetadata"}) {
        const auto found = document.find(holder);
        if (found == document.end() || !found->is_object()) {
            continue;
        }
        const auto inner = found->find("signature");
        auto outputs = outputs_of(inner == found->end() ? *found : *inner, topology);
        if (!outputs.empty()) {
            return outputs;
        }
    }
    std::set<std::string_view> read;
    for (const Node& node : topology.nodes) {
        for (const std::string& input : node.inputs) {
            read.insert(source_of(input).name);
        }
    }
    std::vector<WantedOutput> outputs;
    for (const Node& node : topology.nodes) {
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

} // namespace

Result<Topology> read_topology(const json& document) {
    Topology topology;
    SLUICE_TRY(read_nodes(document, topology));
    SLUICE_TRY_ASSIGN(topology.outputs, wanted_outputs(document, topology));
    return topology;
}

std::vector<std::int64_t> placeholder_dims(const Node& node) {
    std::vector<std::int64_t> dims;
    if (node.attributes == nullptr || !node.attributes->contains("shape")) {
        return dims;
    }
    const json& shape = node.attributes->at("shape");
    const json empty = json::array();
    const json* list = &empty;
    if (shape.is_object() && shape.contains("shape") && shape.at("shape").is_object() &&
        shape.at("shape").contains("dim") && shape.at("shape").at("dim").is_array()) {
        list = &shape.at("shape").at("dim");
    }
    for (const json& dim : *list) {
        const json size = dim.is_object() && dim.contains("size") ? dim.at("size") : json(0);
        const std::string text = size.is_string() ? size.get<std::string>() : size.dump();
        const std::int64_t value = std::strtoll(text.c_str(), nullptr, 10);
        dims.push_back(value);
    }
    return dims;
}

} // namespace sluice::models::tfjs
