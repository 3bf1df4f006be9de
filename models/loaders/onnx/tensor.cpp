// SPDX-License-Identifier: Apache-2.0
// Reading of stored tensors: raw bytes, typed fields and external files.
#include "models/loaders/onnx/tensor.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/float16.h"
#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"

static_assert(std::endian::native == std::endian::little, "ONNX stores little-endian numbers");

namespace sluice::models::onnx {

using graph::DataType;
using schema::Tensor;

namespace {

// Bytes of one element as stored; 0 for types that are not read.
std::size_t stored_size(std::int32_t type) {
    switch (type) {
    case Tensor::DOUBLE: return 8;
    case Tensor::BFLOAT16:
    case Tensor::INT16:
    case Tensor::UINT16: return 2;
    default: break; // the graph's own types, and those that are not read
    }
    const auto known = data_type(type);
    return known ? graph::size_of(*known) : 0;
}

// Bytes in the layout of raw_data, and what keeps them alive.
struct Raw {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
};

template <typename T>
Raw view(const TensorSource& source, const google::protobuf::RepeatedField<T>& field) {
    return {.owner = source.owner,
            .bytes =
                std::as_bytes(std::span(field.data(), static_cast<std::size_t>(field.size())))};
}

template <typename To, typename From>
Raw narrowed(const google::protobuf::RepeatedField<From>& field) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(field.size()) * sizeof(To));
    for (int i = 0; i < field.size(); ++i) {
        const auto value = static_cast<To>(field.Get(i));
        std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(To), &value, sizeof(To));
    }
    auto data = graph::ConstantData::own(std::move(bytes));
    return {.owner = std::move(data.owner), .bytes = data.bytes};
}

// The field that holds the type where there are no raw bytes.
Raw typed_field(const TensorSource& source, const Tensor& tensor) {
    switch (tensor.data_type()) {
    case Tensor::FLOAT: return view(source, tensor.float_data());
    case Tensor::DOUBLE: return view(source, tensor.double_data());
    case Tensor::INT64: return view(source, tensor.int64_data());
    case Tensor::UINT64: return view(source, tensor.uint64_data());
    case Tensor::UINT32: return narrowed<std::uint32_t>(tensor.uint64_data());
    case Tensor::INT32: return view(source, tensor.int32_data());
    case Tensor::INT8: return narrowed<std::int8_t>(tensor.int32_data());
    case Tensor::BOOL:
    case Tensor::UINT8: return narrowed<std::uint8_t>(tensor.int32_data());
    case Tensor::INT16: return narrowed<std::int16_t>(tensor.int32_data());
    case Tensor::UINT16:
    case Tensor::BFLOAT16:
    case Tensor::FLOAT16: return narrowed<std::uint16_t>(tensor.int32_data());
    default: return {}; // stored_size() has refused it
    }
}

// The bytes of a tensor, as many as its dimensions ask for.
Result<Raw> raw_bytes(TensorSource& source, const Tensor& tensor) {
    const std::size_t size = stored_size(tensor.data_type());
    if (size == 0) {
        return fail(ErrorCode::Unsupported, "constants of the type {}",
                    type_name(tensor.data_type()));
    }
    SLUICE_TRY_ASSIGN(
        const std::size_t count,
        element_count({tensor.dims().data(), static_cast<std::size_t>(tensor.dims().size())}));
    const auto expected = checked_mul(count, size);
    Raw raw;
    if (tensor.data_location() == 1) {
        SLUICE_TRY_ASSIGN(FileBytes file, source.files.read(tensor, source.budget));
        raw = {.owner = std::move(file.owner), .bytes = file.bytes};
    } else if (tensor.has_raw_data()) {
        raw = {.owner = source.owner,
               .bytes = std::as_bytes(std::span<const char>(tensor.raw_data()))};
    } else {
        raw = typed_field(source, tensor);
    }
    if (!expected || raw.bytes.size() != *expected) {
        return fail(ErrorCode::Parse, "{} bytes for {} elements of {}", raw.bytes.size(), count,
                    type_name(tensor.data_type()));
    }
    return raw;
}

template <typename T>
T element(const Raw& raw, std::size_t i) {
    T value{};
    std::memcpy(&value, raw.bytes.data() + i * sizeof(T), sizeof(T));
    return value;
}

float bfloat16_to_float(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

// Types without an own one in the graph, element by element into the next wider.
template <typename From, typename Function>
Result<Stored> widened(TensorSource& source, const Raw& raw, const graph::TensorDesc& desc,
                       Function function) {
    SLUICE_TRY(source.budget.take(desc.byte_size()));
    using To = decltype(function(From{}));
    std::vector<To> out(desc.element_count());
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = function(element<From>(raw, i));
    }
    return Stored{.desc = desc, .data = graph::ConstantData::copy(std::span<const To>(out))};
}

std::vector<std::int64_t> dims_of(const Tensor& tensor) {
    return {tensor.dims().begin(), tensor.dims().end()};
}

// A number in an external_data entry.
Result<std::size_t> parse_number(const std::string& text, std::string_view what) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorCode::Parse, "the {} '{}' of external data is no number", what,
                    clean_text(text));
    }
    return value;
}

} // namespace

Result<const FileBytes*> ExternalFiles::open(const std::string& location, LoadBudget& budget) {
    if (const auto found = files_.find(location); found != files_.end()) {
        return &found->second;
    }
    SLUICE_TRY_ASSIGN(FileBytes file, map_side_file(*options_, location));
    budget.add_file(file.bytes.size());
    return &files_.emplace(location, std::move(file)).first->second;
}

Result<FileBytes> ExternalFiles::read(const Tensor& tensor, LoadBudget& budget) {
    std::string location;
    std::size_t offset = 0;
    std::optional<std::size_t> length;
    for (const auto& entry : tensor.external_data()) {
        if (entry.key() == "location") {
            location = entry.value();
        } else if (entry.key() == "offset") {
            SLUICE_TRY_ASSIGN(offset, parse_number(entry.value(), "offset"));
        } else if (entry.key() == "length") {
            SLUICE_TRY_ASSIGN(length, parse_number(entry.value(), "length"));
        }
    }
    SLUICE_TRY_ASSIGN(const FileBytes* file, open(location, budget));
    const std::size_t size = file->bytes.size();
    if (offset > size || (length && *length > size - offset)) {
        return fail(ErrorCode::Parse, "external data at {} of '{}', which has {} bytes", offset,
                    clean_text(location), size);
    }
    return FileBytes{.owner = file->owner,
                     .bytes = file->bytes.subspan(offset, length.value_or(size - offset))};
}

Result<Stored> read_constant(TensorSource& source, const Tensor& tensor) {
    SLUICE_TRY_ASSIGN(const Raw raw, raw_bytes(source, tensor));
    SLUICE_TRY_ASSIGN(const graph::Shape shape, shape_of(dims_of(tensor)));
    const auto describe = [&](DataType type) { return graph::TensorDesc::create(type, shape); };
    switch (tensor.data_type()) {
    case Tensor::DOUBLE: {
        SLUICE_TRY_ASSIGN(const auto desc, describe(DataType::Float32));
        return widened<double>(source, raw, desc, [](double x) { return static_cast<float>(x); });
    }
    case Tensor::BFLOAT16: {
        SLUICE_TRY_ASSIGN(const auto desc, describe(DataType::Float32));
        return widened<std::uint16_t>(source, raw, desc, bfloat16_to_float);
    }
    case Tensor::INT16: {
        SLUICE_TRY_ASSIGN(const auto desc, describe(DataType::Int32));
        return widened<std::int16_t>(source, raw, desc,
                                     [](std::int16_t x) { return static_cast<std::int32_t>(x); });
    }
    case Tensor::UINT16: {
        SLUICE_TRY_ASSIGN(const auto desc, describe(DataType::Int32));
        return widened<std::uint16_t>(source, raw, desc,
                                      [](std::uint16_t x) { return static_cast<std::int32_t>(x); });
    }
    default: break; // stored as the graph has it
    }
    SLUICE_TRY_ASSIGN(const auto desc, describe(*data_type(tensor.data_type())));
    return Stored{.desc = desc, .data = {.owner = raw.owner, .bytes = raw.bytes}};
}

Result<Literal> read_literal(TensorSource& source, const Tensor& tensor) {
    SLUICE_TRY_ASSIGN(const Raw raw, raw_bytes(source, tensor));
    SLUICE_TRY_ASSIGN(const std::size_t count, element_count(dims_of(tensor)));
    if (count > kMaxLiteral) {
        return fail(ErrorCode::Unsupported,
                    "{} elements, where at most {} can be read at load time", count, kMaxLiteral);
    }
    SLUICE_TRY(source.budget.take(count * sizeof(std::int64_t)));
    Literal out = Literal::of(static_cast<ElementType>(tensor.data_type()), dims_of(tensor));
    for (std::size_t i = 0; i < count; ++i) {
        switch (out.type) {
        case Tensor::FLOAT: out.reals[i] = static_cast<double>(element<float>(raw, i)); break;
        case Tensor::DOUBLE: out.reals[i] = element<double>(raw, i); break;
        case Tensor::FLOAT16:
            out.reals[i] = static_cast<double>(float16_to_float(element<std::uint16_t>(raw, i)));
            break;
        case Tensor::BFLOAT16:
            out.reals[i] = static_cast<double>(bfloat16_to_float(element<std::uint16_t>(raw, i)));
            break;
        case Tensor::INT8: out.integers[i] = element<std::int8_t>(raw, i); break;
        case Tensor::BOOL: out.integers[i] = element<std::uint8_t>(raw, i) != 0 ? 1 : 0; break;
        case Tensor::UINT8: out.integers[i] = element<std::uint8_t>(raw, i); break;
        case Tensor::INT16: out.integers[i] = element<std::int16_t>(raw, i); break;
        case Tensor::UINT16: out.integers[i] = element<std::uint16_t>(raw, i); break;
        case Tensor::INT32: out.integers[i] = element<std::int32_t>(raw, i); break;
        case Tensor::UINT32: out.integers[i] = element<std::uint32_t>(raw, i); break;
        default: out.integers[i] = element<std::int64_t>(raw, i); break; // int64 and uint64
        }
    }
    return out;
}

} // namespace sluice::models::onnx
