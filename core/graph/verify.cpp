// SPDX-License-Identifier: Apache-2.0
// The verifier: one function per rule, run in the order that makes each one's reads safe.
#include "core/graph/verify.h"

#include <algorithm>
#include <set>

namespace sluice::graph {
namespace {

std::string title(const GraphParts& parts, std::size_t node_index) {
    const Node& node = parts.nodes[node_index];
    const std::string_view name = ops::name_of(node.attributes);
    return node.label.empty() ? std::format("{} #{}", name, node_index)
                              : std::format("{} '{}'", name, node.label);
}

Status check_ids(const GraphParts& parts) {
    const auto known = [&](OperandId id) { return index(id) < parts.operands.size(); };
    for (std::size_t n = 0; n < parts.nodes.size(); ++n) {
        const Node& node = parts.nodes[n];
        for (const auto* ids : {&node.inputs, &node.outputs}) {
            const auto bad = std::ranges::find_if_not(*ids, known);
            if (bad != ids->end()) {
                return fail(ErrorCode::Internal, "{}: operand %{} does not exist, there are {}",
                            title(parts, n), index(*bad), parts.operands.size());
            }
        }
    }
    for (const auto* named : {&parts.inputs, &parts.outputs}) {
        for (const NamedOperand& entry : *named) {
            if (!known(entry.id)) {
                return fail(ErrorCode::Internal, "'{}': operand %{} does not exist, there are {}",
                            entry.name, index(entry.id), parts.operands.size());
            }
        }
    }
    return {};
}

Status check_names(const std::vector<NamedOperand>& named, std::string_view what) {
    std::set<std::string_view> seen;
    for (const NamedOperand& entry : named) {
        if (entry.name.empty()) {
            return fail(ErrorCode::InvalidArgument, "an {} has an empty name", what);
        }
        if (!seen.insert(entry.name).second) {
            return fail(ErrorCode::InvalidArgument, "{} name '{}' is used twice", what, entry.name);
        }
    }
    return {};
}

// Every operand of kind Input stands among the graph's inputs exactly once, and nothing else does.
Status check_inputs(const GraphParts& parts) {
    SLUICE_TRY(check_names(parts.inputs, "input"));
    std::vector<bool> listed(parts.operands.size());
    for (const NamedOperand& input : parts.inputs) {
        if (parts.operand(input.id).kind != OperandKind::Input || listed[index(input.id)]) {
            return fail(ErrorCode::Internal, "input '{}': operand %{} is {}", input.name,
                        index(input.id),
                        listed[index(input.id)] ? "another input already" : "not an input");
        }
        listed[index(input.id)] = true;
    }
    for (std::size_t i = 0; i < parts.operands.size(); ++i) {
        if (parts.operands[i].kind == OperandKind::Input && !listed[i]) {
            return fail(ErrorCode::Internal, "operand %{} '{}' is an input that the graph lacks", i,
                        parts.operands[i].name);
        }
    }
    return {};
}

Status check_constants(const GraphParts& parts) {
    for (std::size_t i = 0; i < parts.operands.size(); ++i) {
        const Operand& operand = parts.operands[i];
        if (operand.kind == OperandKind::Constant &&
            operand.data.bytes.size() != operand.desc.byte_size()) {
            return fail(ErrorCode::InvalidArgument, "constant %{} '{}': {} bytes given, {} has {}",
                        i, operand.name, operand.data.bytes.size(), to_string(operand.desc),
                        operand.desc.byte_size());
        }
    }
    return {};
}

// What infer() says of the node equals the descriptors of its outputs.
Status check_outputs(const GraphParts& parts, const Node& node) {
    std::vector<TensorDesc> inputs;
    inputs.reserve(node.inputs.size());
    for (const OperandId id : node.inputs) {
        inputs.push_back(parts.operand(id).desc);
    }
    SLUICE_TRY_ASSIGN(const auto inferred, ops::infer(node.attributes, inputs));
    if (inferred.size() != node.outputs.size()) {
        return fail(ErrorCode::Internal, "{} outputs given where {} are inferred",
                    node.outputs.size(), inferred.size());
    }
    for (std::size_t i = 0; i < inferred.size(); ++i) {
        const TensorDesc& desc = parts.operand(node.outputs[i]).desc;
        if (desc != inferred[i]) {
            return fail(ErrorCode::Internal, "output {} is {} where {} is inferred", i,
                        to_string(desc), to_string(inferred[i]));
        }
    }
    return {};
}

// Producers come before consumers and every result has one producer.
Status check_nodes(const GraphParts& parts) {
    std::vector<bool> available(parts.operands.size());
    for (std::size_t i = 0; i < parts.operands.size(); ++i) {
        available[i] = parts.operands[i].kind != OperandKind::Result;
    }
    for (std::size_t n = 0; n < parts.nodes.size(); ++n) {
        const Node& node = parts.nodes[n];
        for (const OperandId id : node.inputs) {
            if (!available[index(id)]) {
                return fail(ErrorCode::Internal, "{}: operand %{} is used before it is produced",
                            title(parts, n), index(id));
            }
        }
        for (const OperandId id : node.outputs) {
            if (available[index(id)]) {
                return fail(ErrorCode::Internal,
                            "{}: operand %{} has a producer already, or needs "
                            "none",
                            title(parts, n), index(id));
            }
            available[index(id)] = true;
        }
        auto outputs = check_outputs(parts, node);
        if (!outputs) {
            return std::unexpected(std::move(outputs).error().within(title(parts, n)));
        }
    }
    for (const NamedOperand& output : parts.outputs) {
        if (!available[index(output.id)]) {
            return fail(ErrorCode::Internal, "output '{}': operand %{} is never produced",
                        output.name, index(output.id));
        }
    }
    return {};
}

} // namespace

Status verify(const GraphParts& parts) {
    if (parts.outputs.empty()) {
        return fail(ErrorCode::InvalidArgument, "the graph has no output");
    }
    SLUICE_TRY(check_ids(parts));
    SLUICE_TRY(check_names(parts.outputs, "output"));
    SLUICE_TRY(check_inputs(parts));
    SLUICE_TRY(check_constants(parts));
    return check_nodes(parts);
}

} // namespace sluice::graph
