// SPDX-License-Identifier: Apache-2.0
// The immutable graph: operands, nodes in topological order, and the constants' bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/attributes.h"

namespace sluice::graph {

enum class OperandId : std::uint32_t {};
inline constexpr OperandId kNoOperand{0xFFFFFFFF};

[[nodiscard]] constexpr std::size_t index(OperandId id) {
    return static_cast<std::size_t>(id);
}

enum class OperandKind : std::uint8_t { Input, Constant, Result };

// Bytes of a constant together with whatever keeps them alive (a mapped file, a vector). Dense,
// row-major, native endian; not necessarily aligned.
struct ConstantData {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;

    // Takes a vector over.
    [[nodiscard]] static ConstantData own(std::vector<std::byte> bytes);
    // Copies `values` (of any trivially copyable type).
    template <typename T>
    [[nodiscard]] static ConstantData copy(std::span<const T> values) {
        const auto bytes = std::as_bytes(values);
        return own({bytes.begin(), bytes.end()});
    }
};

struct Operand {
    TensorDesc desc;
    OperandKind kind;
    std::string name;  // of inputs and outputs; of constants where the model has one; may be empty
    ConstantData data; // of constants only
};

struct Node {
    ops::Attributes attributes;
    std::vector<OperandId> inputs; // in the order of the operator's header; optional ones left out
    std::vector<OperandId> outputs;
    std::string label; // the user's, or the model's name for the node; may be empty
};

struct NamedOperand {
    std::string name;
    OperandId id;
};

// The contents of a graph while a builder or a pass works on them.
struct GraphParts {
    std::vector<Operand> operands; // indexed by OperandId
    std::vector<Node> nodes;       // a node comes after the producers of its inputs
    std::vector<NamedOperand> inputs;
    std::vector<NamedOperand> outputs;

    [[nodiscard]] const Operand& operand(OperandId id) const { return operands[index(id)]; }
    // Appends an operand and returns its id.
    OperandId add(Operand operand);
};

// Verified and immutable. Copies share the constants. Thread-safe.
class Graph {
public:
    // Runs the verifier (verify.h) and takes the parts over.
    [[nodiscard]] static Result<Graph> create(GraphParts parts);

    [[nodiscard]] std::span<const Operand> operands() const { return parts_.operands; }
    [[nodiscard]] std::span<const Node> nodes() const { return parts_.nodes; }
    [[nodiscard]] std::span<const NamedOperand> inputs() const { return parts_.inputs; }
    [[nodiscard]] std::span<const NamedOperand> outputs() const { return parts_.outputs; }
    [[nodiscard]] const Operand& operand(OperandId id) const { return parts_.operand(id); }
    [[nodiscard]] const TensorDesc& desc(OperandId id) const { return operand(id).desc; }

    // For passes: the parts, to change and hand to create() again.
    [[nodiscard]] GraphParts take() && { return std::move(parts_); }
    [[nodiscard]] const GraphParts& parts() const { return parts_; }

private:
    explicit Graph(GraphParts parts) : parts_(std::move(parts)) {}

    GraphParts parts_;
};

// "conv2d 'stem'", or "conv2d #3" where the node has no label.
[[nodiscard]] std::string title(const Graph& graph, const Node& node);

} // namespace sluice::graph
