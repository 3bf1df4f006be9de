// SPDX-License-Identifier: Apache-2.0
// Verification of .tflite files and access to their tensors.
#include "models/loaders/tflite/file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <format>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/text.h"
#include "models/loaders/tflite/sparse.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {
namespace {

using graph::DataType;

// An operator's lists of tensors may be shared, so a small file could describe an enormous graph.
// Files that converters write never hold fewer bytes than entries.
Status check_entry_count(const schema::SubGraph& graph, std::size_t file_bytes) {
    std::size_t entries = 0;
    if (graph.operators() == nullptr) {
        return {};
    }
    for (const auto* op : *graph.operators()) {
        entries += op->inputs() == nullptr ? 0 : op->inputs()->size();
        entries += op->outputs() == nullptr ? 0 : op->outputs()->size();
        if (entries > file_bytes) {
            return fail(ErrorCode::Parse, "operators list more tensors than the file has bytes");
        }
    }
    return {};
}

} // namespace

bool is_tflite(std::span<const std::byte> bytes) {
    return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, schema::ModelIdentifier(), 4) == 0;
}

std::optional<DataType> data_type(schema::TensorType type) {
    switch (type) {
    case schema::TensorType::FLOAT32: return DataType::Float32;
    case schema::TensorType::FLOAT16: return DataType::Float16;
    case schema::TensorType::INT32: return DataType::Int32;
    case schema::TensorType::UINT8:
    case schema::TensorType::BOOL: return DataType::Uint8;
    case schema::TensorType::INT64: return DataType::Int64;
    case schema::TensorType::INT8: return DataType::Int8;
    case schema::TensorType::UINT64: return DataType::Uint64;
    case schema::TensorType::UINT32: return DataType::Uint32;
    default: return std::nullopt; // the format's other types, and values that are no type
    }
}

schema::BuiltinOperator builtin_operator(const schema::OperatorCode& code) {
    // Codes above 127 do not fit into the first field, which then holds 127.
    return std::max(static_cast<schema::BuiltinOperator>(code.deprecated_builtin_code()),
                    code.builtin_code());
}

std::string operator_name(const schema::OperatorCode& code) {
    const auto builtin = builtin_operator(code);
    if (builtin == schema::BuiltinOperator::CUSTOM && code.custom_code() != nullptr) {
        return clean_text(code.custom_code()->string_view());
    }
    const std::string_view name = schema::EnumNameBuiltinOperator(builtin);
    return name.empty() ? std::format("operator code {}", static_cast<std::int32_t>(builtin))
                        : std::string(name);
}

Result<File> File::open(const FileBytes& bytes) {
    if (!is_tflite(bytes.bytes)) {
        return fail(ErrorCode::Parse, "no TFLite file: the identifier TFL3 is missing");
    }
    // Depth and table count are bounded; the largest models in use hold some thousand tables.
    flatbuffers::Verifier::Options options;
    options.max_depth = 16;
    options.max_tables = 1'000'000;
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.bytes.data()),
                                   bytes.bytes.size(), options);
    if (bytes.bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE || !schema::VerifyModelBuffer(verifier)) {
        return fail(ErrorCode::Parse,
                    "malformed TFLite file of {} bytes: an offset leads out of it",
                    bytes.bytes.size());
    }
    const schema::Model& model = *schema::GetModel(bytes.bytes.data());
    if (model.version() != 3) {
        return fail(ErrorCode::Unsupported, "TFLite format version {}, only 3 is supported",
                    model.version());
    }
    if (model.subgraphs() == nullptr || model.subgraphs()->size() == 0) {
        return fail(ErrorCode::Parse, "malformed TFLite file: it has no graph");
    }
    return File(bytes, model, *model.subgraphs()->Get(0)).with_graph(0);
}

Result<File> File::with_graph(std::int64_t index) const {
    const auto& graphs = *model_->subgraphs();
    if (index < 0 || !std::cmp_less(index, graphs.size())) {
        return fail(ErrorCode::Parse, "it leads to graph {} of {}", index, graphs.size());
    }
    const schema::SubGraph& graph = *graphs.Get(static_cast<flatbuffers::uoffset_t>(index));
    if (graph.tensors() == nullptr || graph.tensors()->size() == 0) {
        return fail(ErrorCode::Parse, "malformed TFLite file: its graph has no tensors");
    }
    SLUICE_TRY(check_entry_count(graph, bytes_.bytes.size()));
    return File(bytes_, *model_, graph);
}

const schema::Tensor& File::tensor(std::size_t index) const {
    return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::string File::name(std::size_t index) const {
    const auto* text = tensor(index).name();
    return text == nullptr ? std::string() : clean_text(text->string_view());
}

std::string File::title(std::size_t index) const {
    return std::format("tensor {} '{}'", index, name(index));
}

bool File::is_constant(std::size_t index) const {
    const auto bytes = buffer(tensor(index).buffer());
    if (bytes && !bytes->empty()) {
        return true;
    }
    // An empty constant, such as an empty list of axes, has no bytes but a zero in its shape.
    const auto* shape = tensor(index).shape();
    return tensor(index).buffer() != 0 && shape != nullptr &&
           std::ranges::find(*shape, 0) != shape->end();
}

bool File::is_quantized(std::size_t index) const {
    const auto type = tensor(index).type();
    const auto* quantization = tensor(index).quantization();
    return type != schema::TensorType::FLOAT32 && type != schema::TensorType::FLOAT16 &&
           quantization != nullptr && quantization->scale() != nullptr &&
           quantization->scale()->size() > 0;
}

bool File::has_known_shape(std::size_t index) const {
    const auto* shape = tensor(index).shape();
    const auto* signature = tensor(index).shape_signature();
    // An empty shape is a scalar or unknown; the format's older versions do not tell.
    return shape != nullptr && shape->size() > 0 &&
           std::ranges::all_of(*shape, [](std::int32_t dim) { return dim > 0; }) &&
           (signature == nullptr ||
            std::ranges::all_of(*signature, [](std::int32_t dim) { return dim > 0; }));
}

Result<graph::TensorDesc> File::desc(std::size_t index) const {
    const auto type = data_type(tensor(index).type());
    if (!type) {
        return fail(ErrorCode::Unsupported, "{} has the unsupported type {}", title(index),
                    schema::EnumNameTensorType(tensor(index).type()));
    }
    std::vector<std::uint32_t> dims;
    if (const auto* shape = tensor(index).shape(); shape != nullptr) {
        if (shape->size() > graph::kMaxRank) {
            return fail(ErrorCode::Unsupported, "{} has {} dimensions, more than {}", title(index),
                        shape->size(), graph::kMaxRank);
        }
        for (const std::int32_t dim : *shape) {
            if (dim <= 0) {
                return fail(ErrorCode::Unsupported, "{} has a dimension of {}", title(index), dim);
            }
            dims.push_back(static_cast<std::uint32_t>(dim));
        }
    }
    auto desc = graph::TensorDesc::create(*type, dims);
    if (!desc) {
        return fail(ErrorCode::Unsupported, "{}: {}", title(index), desc.error().message);
    }
    return *desc;
}

Result<graph::ConstantData> File::constant(std::size_t index, LoadBudget& budget) const {
    SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, this->desc(index));
    SLUICE_TRY_ASSIGN(const auto bytes, buffer(tensor(index).buffer()));
    if (const auto* sparsity = tensor(index).sparsity(); sparsity != nullptr) {
        if (auto taken = budget.take(desc.byte_size()); !taken) {
            return std::unexpected(std::move(taken).error().within(title(index)));
        }
        auto dense = densify(bytes, desc, *sparsity);
        if (!dense) {
            return std::unexpected(std::move(dense).error().within(title(index)));
        }
        return graph::ConstantData::own(std::move(*dense));
    }
    if (bytes.size() != desc.byte_size()) {
        return fail(ErrorCode::Parse, "{} has {} bytes of data, its shape {} needs {}",
                    title(index), bytes.size(), graph::to_string(desc), desc.byte_size());
    }
    return graph::ConstantData{.owner = bytes_.owner, .bytes = bytes};
}

Result<std::vector<std::int64_t>> File::integers(std::size_t index) const {
    const auto type = tensor(index).type();
    const std::size_t size = type == schema::TensorType::INT64 ? 8 : 4;
    if (type != schema::TensorType::INT64 && type != schema::TensorType::INT32) {
        return fail(ErrorCode::Unsupported, "{} has the type {}, int32 or int64 is needed",
                    title(index), schema::EnumNameTensorType(type));
    }
    if (!is_constant(index)) {
        return fail(ErrorCode::Unsupported, "{} is computed at run time, a constant is needed",
                    title(index));
    }
    SLUICE_TRY_ASSIGN(const auto bytes, buffer(tensor(index).buffer()));
    // These are axes, shapes, paddings: at most two values a dimension.
    if (bytes.size() % size != 0 || bytes.size() / size > 64) {
        return fail(ErrorCode::Parse, "{} has {} bytes of data, a short list of integers is needed",
                    title(index), bytes.size());
    }
    std::vector<std::int64_t> values;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        std::int64_t value = 0;
        if (size == 8) {
            std::memcpy(&value, bytes.data() + at, 8);
        } else {
            std::int32_t narrow = 0;
            std::memcpy(&narrow, bytes.data() + at, 4);
            value = narrow;
        }
        values.push_back(value);
    }
    return values;
}

Result<std::span<const std::byte>> File::buffer(std::size_t index) const {
    const auto* buffers = model_->buffers();
    if (buffers == nullptr || index >= buffers->size()) {
        return fail(ErrorCode::Parse, "malformed TFLite file: buffer {} does not exist", index);
    }
    const auto& entry = *buffers->Get(static_cast<flatbuffers::uoffset_t>(index));
    if (entry.offset() > 1) {
        const auto end = checked_add<std::uint64_t>(entry.offset(), entry.size());
        if (!end || *end > bytes_.bytes.size()) {
            return fail(ErrorCode::Parse, "malformed TFLite file: buffer {} leads out of it",
                        index);
        }
        return bytes_.bytes.subspan(entry.offset(), entry.size());
    }
    if (entry.data() == nullptr) {
        return std::span<const std::byte>();
    }
    return std::as_bytes(std::span(entry.data()->data(), entry.data()->size()));
}

} // namespace sluice::models::tflite
