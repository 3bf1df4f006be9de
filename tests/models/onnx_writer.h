// SPDX-License-Identifier: Apache-2.0
// Writes small .onnx files for tests of the ONNX loader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/loaders/loader.h"
#include "models/loaders/onnx/onnx.pb.h"

namespace sluice::models::test {

namespace onnx_schema = onnx::schema;

class OnnxWriter {
public:
    using Dims = std::vector<std::int64_t>;

    explicit OnnxWriter(std::int64_t opset = 18) {
        model_.set_ir_version(8);
        auto* const set = model_.add_opset_import();
        set->set_domain("");
        set->set_version(opset);
        model_.mutable_graph()->set_name("test");
    }

    onnx_schema::Model& model() { return model_; }
    onnx_schema::Graph& graph() { return *model_.mutable_graph(); }

    OnnxWriter& input(const std::string& name, const Dims& dims,
                      onnx_schema::Tensor::Type type = onnx_schema::Tensor::FLOAT) {
        auto* const tensor = add_input(name, type);
        for (const std::int64_t dim : dims) {
            tensor->mutable_shape()->add_dim()->set_dim_value(dim);
        }
        return *this;
    }
    // A text is a name for the size.
    OnnxWriter& named_input(const std::string& name, const std::vector<std::string>& dims) {
        auto* const tensor = add_input(name, onnx_schema::Tensor::FLOAT);
        for (const std::string& dim : dims) {
            tensor->mutable_shape()->add_dim()->set_dim_param(dim);
        }
        return *this;
    }
    OnnxWriter& output(const std::string& name) {
        graph().add_output()->set_name(name);
        return *this;
    }
    OnnxWriter& floats(const std::string& name, const Dims& dims,
                       const std::vector<float>& values) {
        auto& tensor = constant(name, dims, onnx_schema::Tensor::FLOAT);
        tensor.mutable_float_data()->Add(values.begin(), values.end());
        return *this;
    }
    OnnxWriter& ints(const std::string& name, const std::vector<std::int64_t>& values) {
        auto& tensor =
            constant(name, {static_cast<std::int64_t>(values.size())}, onnx_schema::Tensor::INT64);
        tensor.mutable_int64_data()->Add(values.begin(), values.end());
        return *this;
    }
    // Without values.
    onnx_schema::Tensor& constant(const std::string& name, const Dims& dims,
                                  onnx_schema::Tensor::Type type) {
        auto& tensor = *graph().add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(type);
        tensor.mutable_dims()->Add(dims.begin(), dims.end());
        return tensor;
    }
    onnx_schema::Node& node(const std::string& type, const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs) {
        return node_in(graph(), type, inputs, outputs);
    }
    static onnx_schema::Node& node_in(onnx_schema::Graph& graph, const std::string& type,
                                      const std::vector<std::string>& inputs,
                                      const std::vector<std::string>& outputs) {
        auto& node = *graph.add_node();
        node.set_op_type(type);
        for (const std::string& name : inputs) {
            node.add_input(name);
        }
        for (const std::string& name : outputs) {
            node.add_output(name);
        }
        return node;
    }

    [[nodiscard]] std::vector<std::byte> finish() const {
        const std::string text = model_.SerializeAsString();
        const auto bytes = std::as_bytes(std::span<const char>(text));
        return {bytes.begin(), bytes.end()};
    }

private:
    onnx_schema::Type::TensorType* add_input(const std::string& name,
                                             onnx_schema::Tensor::Type type) {
        auto* const input = graph().add_input();
        input->set_name(name);
        auto* const tensor = input->mutable_type()->mutable_tensor_type();
        tensor->set_elem_type(type);
        tensor->mutable_shape();
        return tensor;
    }

    onnx_schema::Model model_;
};

inline void set_int(onnx_schema::Node& node, const std::string& name, std::int64_t value) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_schema::Attribute::INT);
    attribute.set_i(value);
}

inline void set_text(onnx_schema::Node& node, const std::string& name, const std::string& value) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_schema::Attribute::STRING);
    attribute.set_s(value);
}

inline void set_ints(onnx_schema::Node& node, const std::string& name,
                     const std::vector<std::int64_t>& values) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_schema::Attribute::INTS);
    attribute.mutable_ints()->Add(values.begin(), values.end());
}

// The bytes as a file, in memory of exactly their size.
inline FileBytes bytes_as_file(std::vector<std::byte> bytes) {
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return {.owner = owner, .bytes = *owner};
}

} // namespace sluice::models::test
