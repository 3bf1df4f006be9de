// SPDX-License-Identifier: Apache-2.0
// Text and DOT forms of a graph.
#include "core/graph/print.h"

#include <format>
#include <utility>

namespace sluice::graph {
namespace {

std::string operand_text(const Graph& graph, OperandId id) {
    return std::format("%{} {}", index(id), to_string(graph.desc(id)));
}

std::string node_text(const Graph& graph, const Node& node) {
    std::string text;
    for (const OperandId id : node.outputs) {
        text += (text.empty() ? "" : ", ") + operand_text(graph, id);
    }
    text += std::format(" = {}(", ops::name_of(node.attributes));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        text += std::format("{}%{}", i == 0 ? "" : ", ", index(node.inputs[i]));
    }
    text += ")";
    if (const std::string attributes = ops::describe(node.attributes); !attributes.empty()) {
        text += " " + attributes;
    }
    if (!node.label.empty()) {
        text += std::format(" '{}'", node.label);
    }
    return text;
}

// For use inside a double-quoted DOT string.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

} // namespace

std::string to_text(const Graph& graph) {
    std::string text;
    for (const auto& [kind, named] :
         {std::pair{"input", graph.inputs()}, std::pair{"output", graph.outputs()}}) {
        for (const NamedOperand& entry : named) {
            text += std::format("{} {} '{}'\n", kind, operand_text(graph, entry.id), entry.name);
        }
    }
    for (std::size_t i = 0; i < graph.operands().size(); ++i) {
        const Operand& operand = graph.operands()[i];
        if (operand.kind == OperandKind::Constant) {
            text += std::format("constant %{} {}", i, to_string(operand.desc));
            text += operand.name.empty() ? "\n" : std::format(" '{}'\n", operand.name);
        }
    }
    for (const Node& node : graph.nodes()) {
        text += node_text(graph, node) + "\n";
    }
    return text;
}

std::string to_dot(const Graph& graph) {
    std::string text = "digraph sluice {\n    rankdir=TB;\n    node [shape=box];\n";
    std::vector<std::string> source(graph.operands().size()); // the vertex that makes the operand
    for (const NamedOperand& input : graph.inputs()) {
        source[index(input.id)] = std::format("in{}", index(input.id));
        text += std::format("    in{} [label=\"{}\", shape=ellipse];\n", index(input.id),
                            escaped(input.name));
    }
    const auto edge = [&](OperandId id, std::string_view to) {
        if (!source[index(id)].empty()) {
            text += std::format("    {} -> {} [label=\"{}\"];\n", source[index(id)], to,
                                to_string(graph.desc(id)));
        }
    };
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
        const Node& node = graph.nodes()[n];
        const std::string vertex = std::format("n{}", n);
        std::string label = escaped(ops::name_of(node.attributes));
        for (const std::string& line : {ops::describe(node.attributes), node.label}) {
            label += line.empty() ? "" : "\\n" + escaped(line);
        }
        text += std::format("    {} [label=\"{}\"];\n", vertex, label);
        for (const OperandId id : node.inputs) {
            edge(id, vertex);
        }
        for (const OperandId id : node.outputs) {
            source[index(id)] = vertex;
        }
    }
    for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
        text += std::format("    out{} [label=\"{}\", shape=ellipse];\n", i,
                            escaped(graph.outputs()[i].name));
        edge(graph.outputs()[i].id, std::format("out{}", i));
    }
    return text + "}\n";
}

} // namespace sluice::graph
