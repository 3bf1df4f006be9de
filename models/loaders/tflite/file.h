// SPDX-License-Identifier: Apache-2.0
// A verified .tflite file: its tensors, their descriptors and the bytes of the constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/loader.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

[[nodiscard]] bool is_tflite(std::span<const std::byte> bytes);

// The data type that represents TensorType (BOOL is uint8), if there is one.
[[nodiscard]] std::optional<graph::DataType> data_type(schema::TensorType type);

// "CONV_2D", the name of a custom operator, or "operator code 300".
[[nodiscard]] std::string operator_name(const schema::OperatorCode& code);
[[nodiscard]] schema::BuiltinOperator builtin_operator(const schema::OperatorCode& code);

// Tensor indices below are within tensor_count(); everything else is checked here.
class File {
public:
    // Verifies all offsets before anything is read.
    [[nodiscard]] static Result<File> open(const FileBytes& bytes);

    // The same file, of which another graph is looked at. Parse: there is none.
    [[nodiscard]] Result<File> with_graph(std::int64_t index) const;

    [[nodiscard]] const schema::Model& model() const { return *model_; }
    [[nodiscard]] const schema::SubGraph& graph() const { return *graph_; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_.bytes; }

    [[nodiscard]] std::size_t tensor_count() const { return graph_->tensors()->size(); }
    [[nodiscard]] const schema::Tensor& tensor(std::size_t index) const;
    // The tensor's own name, cleaned; may be empty.
    [[nodiscard]] std::string name(std::size_t index) const;
    // "tensor 12 'conv/kernel'"
    [[nodiscard]] std::string title(std::size_t index) const;

    [[nodiscard]] bool is_constant(std::size_t index) const;
    // Whether integers stand for other values (a scale is given).
    [[nodiscard]] bool is_quantized(std::size_t index) const;
    // Whether the file states the whole shape.
    [[nodiscard]] bool has_known_shape(std::size_t index) const;

    // Unsupported: a type or shape that has no TensorDesc.
    [[nodiscard]] Result<graph::TensorDesc> desc(std::size_t index) const;
    // The values of a constant, dense: sparse ones are expanded within the budget.
    [[nodiscard]] Result<graph::ConstantData> constant(std::size_t index, LoadBudget& budget) const;
    // The values of an int32 or int64 constant of any shape, also an empty one.
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::size_t index) const;

    // The bytes of a buffer; empty where it has none.
    [[nodiscard]] Result<std::span<const std::byte>> buffer(std::size_t index) const;

private:
    File(FileBytes bytes, const schema::Model& model, const schema::SubGraph& graph)
        : bytes_(std::move(bytes)), model_(&model), graph_(&graph) {}

    FileBytes bytes_;
    const schema::Model* model_;    // into bytes_
    const schema::SubGraph* graph_; // into bytes_
};

} // namespace sluice::models::tflite
