// SPDX-License-Identifier: Apache-2.0
// Translation of graphs, node by node; what cannot be translated is collected.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

// What the file uses and we lack, collected so that one message tells all.
class Missing {
public:
    void add(std::string text);
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] Error error() const;

private:
    std::size_t count_ = 0;
    std::string list_;
};

class Translator {
public:
    Translator(Translation& translation, Missing& missing)
        : translation_(translation), missing_(missing) {}

    // Adds the stored tensors and the nodes of a graph to the innermost scope. What is Unsupported
    // is recorded, anything else ends the load.
    [[nodiscard]] Status add_graph(const schema::Graph& graph);
    [[nodiscard]] Status add_initializers(const schema::Graph& graph);
    [[nodiscard]] Status add_nodes(const schema::Graph& graph);

private:
    [[nodiscard]] Status add_node(std::size_t index, const schema::Node& node);
    [[nodiscard]] Result<Outputs> map(Operation& operation, const std::string& type);
    [[nodiscard]] Result<Outputs> inline_if(Operation& operation);
    [[nodiscard]] Result<Outputs> choose(Operation& operation);
    [[nodiscard]] Result<std::vector<Output>> add_branch(Operation& operation,
                                                         std::string_view branch);
    [[nodiscard]] Status set_outputs(const schema::Node& node, Outputs outputs);
    [[nodiscard]] Status set_failed(const schema::Node& node);
    [[nodiscard]] bool depends_on_failed(const schema::Node& node);
    // "float32[1,2], int64[4]": what the node reads.
    [[nodiscard]] std::string describe_inputs(const schema::Node& node);
    [[nodiscard]] bool reads_other_than_float(const schema::Node& node);

    Translation& translation_;
    Missing& missing_;
};

} // namespace sluice::models::onnx
