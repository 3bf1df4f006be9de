// SPDX-License-Identifier: Apache-2.0
// Writes small .tflite files in memory, for tests of single operators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/loaders/loader.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::test {

namespace schema = tflite::schema;
using schema::BuiltinOperator;
using schema::TensorType;

// Collects tensors and operators, then writes the file. Tensors are numbered in the order of their
// making.
class TfliteWriter {
public:
    using Index = std::int32_t;
    using Dims = std::vector<std::int32_t>;
    static constexpr Index kAbsent = -1;

    // Quantisation or sparsity made with fbb() may be handed along.
    struct Extra {
        flatbuffers::Offset<schema::QuantizationParameters> quantization = 0;
        flatbuffers::Offset<schema::SparsityParameters> sparsity = 0;
    };

    Index tensor(const Dims& shape, TensorType type = TensorType::FLOAT32, std::string name = "t",
                 Extra extra = {0, 0}) {
        return add(shape, type, 0, std::move(name), extra);
    }
    template <typename T>
    Index constant(const Dims& shape, TensorType type, const std::vector<T>& values,
                   Extra extra = {0, 0}) {
        const auto bytes = std::as_bytes(std::span(values));
        fbb_.ForceVectorAlignment(bytes.size(), 1, 16);
        const auto data =
            fbb_.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        buffers_.push_back(schema::CreateBuffer(fbb_, data));
        return add(shape, type, static_cast<std::uint32_t>(buffers_.size()), "c", extra);
    }
    Index floats(const Dims& shape, const std::vector<float>& values) {
        return constant(shape, TensorType::FLOAT32, values);
    }
    Index ints(const std::vector<std::int32_t>& values) {
        return constant({static_cast<std::int32_t>(values.size())}, TensorType::INT32, values);
    }

    // Options come from a schema::Create...Options(fbb(), ...).
    template <typename Options>
    void op(BuiltinOperator code, const std::vector<Index>& inputs,
            const std::vector<Index>& outputs, flatbuffers::Offset<Options> options) {
        add_operator(code, {}, inputs, outputs, schema::BuiltinOptionsTraits<Options>::enum_value,
                     options.Union(), {});
    }
    void op(BuiltinOperator code, const std::vector<Index>& inputs,
            const std::vector<Index>& outputs) {
        add_operator(code, {}, inputs, outputs, schema::BuiltinOptions::NONE, 0, {});
    }
    void custom(const std::string& name, const std::vector<Index>& inputs,
                const std::vector<Index>& outputs, const std::vector<std::uint8_t>& options) {
        add_operator(BuiltinOperator::CUSTOM, name, inputs, outputs, schema::BuiltinOptions::NONE,
                     0, options);
    }

    flatbuffers::FlatBufferBuilder& fbb() { return fbb_; }

    // Ends a graph that operators of others call, by its number: 1, 2, ... in the order of the
    // calls. What follows is of the next graph, whose tensors are numbered from 0 again; that which
    // finish() ends is the file's first.
    std::int32_t end_branch(const std::vector<Index>& inputs, const std::vector<Index>& outputs) {
        branches_.push_back(end_graph(inputs, outputs));
        return static_cast<std::int32_t>(branches_.size());
    }

    std::vector<std::byte> finish(const std::vector<Index>& inputs,
                                  const std::vector<Index>& outputs) {
        // Buffer 0 is the empty one.
        std::vector<flatbuffers::Offset<schema::Buffer>> buffers{schema::CreateBuffer(fbb_)};
        buffers.insert(buffers.end(), buffers_.begin(), buffers_.end());
        std::vector<flatbuffers::Offset<schema::SubGraph>> graphs{end_graph(inputs, outputs)};
        graphs.insert(graphs.end(), branches_.begin(), branches_.end());
        const auto model =
            schema::CreateModel(fbb_, 3, fbb_.CreateVector(codes_), fbb_.CreateVector(graphs), 0,
                                fbb_.CreateVector(buffers));
        schema::FinishModelBuffer(fbb_, model);
        const auto bytes = std::as_bytes(std::span(fbb_.GetBufferPointer(), fbb_.GetSize()));
        keep_seed(bytes);
        return {bytes.begin(), bytes.end()};
    }

private:
    // Into the folder of seeds for the fuzz target, where the environment names one.
    static void keep_seed(std::span<const std::byte> bytes) {
        const char* const folder = std::getenv("SLUICE_FUZZ_SEEDS");
        if (folder == nullptr) {
            return;
        }
        const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        const std::string name = std::to_string(std::hash<std::string_view>()(content)) + ".tflite";
        std::ofstream(std::filesystem::path(folder) / name, std::ios::binary) << content;
    }

    flatbuffers::Offset<schema::SubGraph> end_graph(const std::vector<Index>& inputs,
                                                    const std::vector<Index>& outputs) {
        const auto graph =
            schema::CreateSubGraph(fbb_, fbb_.CreateVector(tensors_), fbb_.CreateVector(inputs),
                                   fbb_.CreateVector(outputs), fbb_.CreateVector(operators_));
        tensors_.clear();
        operators_.clear();
        return graph;
    }

    Index add(const Dims& shape, TensorType type, std::uint32_t buffer, std::string name,
              Extra extra) {
        const auto shape_offset = fbb_.CreateVector(shape);
        const auto name_offset = fbb_.CreateString(name + std::to_string(tensors_.size()));
        tensors_.push_back(schema::CreateTensor(fbb_, shape_offset, type, buffer, name_offset,
                                                extra.quantization, false, extra.sparsity));
        return static_cast<Index>(tensors_.size() - 1);
    }

    void add_operator(BuiltinOperator code, const std::string& custom,
                      const std::vector<Index>& inputs, const std::vector<Index>& outputs,
                      schema::BuiltinOptions type, flatbuffers::Offset<void> options,
                      const std::vector<std::uint8_t>& custom_options) {
        const auto name = custom.empty() ? 0 : fbb_.CreateString(custom);
        // As converters write it: codes that fit are in both fields.
        const auto narrow = static_cast<std::int8_t>(std::min(static_cast<int>(code), 127));
        codes_.push_back(schema::CreateOperatorCode(fbb_, narrow, name, 1, code));
        const auto in = fbb_.CreateVector(inputs);
        const auto out = fbb_.CreateVector(outputs);
        const auto extra = custom_options.empty() ? 0 : fbb_.CreateVector(custom_options);
        operators_.push_back(schema::CreateOperator(
            fbb_, static_cast<std::uint32_t>(codes_.size() - 1), in, out, type, options, extra));
    }

    flatbuffers::FlatBufferBuilder fbb_;
    std::vector<flatbuffers::Offset<schema::Tensor>> tensors_;
    std::vector<flatbuffers::Offset<schema::Buffer>> buffers_;
    std::vector<flatbuffers::Offset<schema::OperatorCode>> codes_;
    std::vector<flatbuffers::Offset<schema::Operator>> operators_;
    std::vector<flatbuffers::Offset<schema::SubGraph>> branches_;
};

// A file's bytes as the loaders take them.
inline FileBytes file_of(std::vector<std::byte> bytes) {
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return {.owner = owner, .bytes = *owner};
}

} // namespace sluice::models::test
