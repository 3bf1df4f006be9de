// SPDX-License-Identifier: Apache-2.0
// Access to a node's inputs and attributes.
#include "models/loaders/tfjs/operation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/text.h"

namespace sluice::models::tfjs {

using graph::DataType;
using graph::OperandId;
using nlohmann::json;

namespace {

// Protobuf's JSON writes 64-bit integers as text.
Result<std::int64_t> integer_of(const json& value, std::string_view name) {
    if (value.is_number_integer()) {
        return value.get<std::int64_t>();
    }
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size()) {
            return number;
        }
    }
    return fail(ErrorCode::Parse, "attribute '{}' is no integer", name);
}

// Entry `key` of the attribute's object.
const json* member(const json* attribute, const char* key) {
    if (attribute == nullptr || !attribute->is_object()) {
        return nullptr;
    }
    const auto found = attribute->find(key);
    return found == attribute->end() ? nullptr : &*found;
}

// The list {"list": {key: [...]}}; an absent one is empty.
Result<std::vector<json>> list_of(const json* attribute, const char* key, std::string_view name) {
    const json* items = member(member(attribute, "list"), key);
    if (items == nullptr) {
        return std::vector<json>{};
    }
    if (!items->is_array()) {
        return fail(ErrorCode::Parse, "attribute '{}' is no list", name);
    }
    return std::vector<json>(items->begin(), items->end());
}

// TensorFlow's enumeration of types, by name or number.
std::string type_text(const json* attribute) {
    const json* type = member(attribute, "type");
    if (type == nullptr) {
        return {};
    }
    if (type->is_string()) {
        return type->get<std::string>();
    }
    switch (type->is_number_integer() ? type->get<int>() : 0) {
    case 1: return "DT_FLOAT";
    case 3: return "DT_INT32";
    case 4: return "DT_UINT8";
    case 9: return "DT_INT64";
    case 10: return "DT_BOOL";
    default: return type->dump();
    }
}

} // namespace

Source source_of(std::string_view input) {
    const auto colon = input.rfind(':');
    if (colon == std::string_view::npos) {
        return {.name = input};
    }
    std::size_t output = 0;
    const auto* const begin = input.data() + colon + 1;
    const auto* const end = input.data() + input.size();
    const auto [stop, error] = std::from_chars(begin, end, output);
    if (error != std::errc() || stop != end) {
        return {.name = input};
    }
    return {.name = input.substr(0, colon), .output = output};
}

Result<std::string> decode_base64(std::string_view text) {
    std::string out;
    unsigned bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        unsigned value = 0;
        if (c >= 'A' && c <= 'Z') {
            value = static_cast<unsigned>(c - 'A');
        } else if (c >= 'a' && c <= 'z') {
            value = static_cast<unsigned>(c - 'a') + 26;
        } else if (c >= '0' && c <= '9') {
            value = static_cast<unsigned>(c - '0') + 52;
        } else if (c == '+' || c == '-') {
            value = 62;
        } else if (c == '/' || c == '_') {
            value = 63;
        } else if (c == '=') {
            break;
        } else {
            return fail(ErrorCode::Parse, "a text that is no base64");
        }
        bits = (bits << 6U | value) & 0xFFFFU;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count & 0xFFU));
        }
    }
    return out;
}

LiteralPtr literal_of(Value& value) {
    if (value.literal == nullptr && value.weight != nullptr) {
        std::size_t count = 1;
        for (const std::int64_t dim : value.weight->dims) {
            count *= static_cast<std::size_t>(dim); // of an existing file's bytes
        }
        if (count <= kMaxLiteral) {
            value.literal =
                std::make_shared<const Literal>(Literal{.type = value.weight->type,
                                                        .dims = value.weight->dims,
                                                        .values = Weights::numbers(*value.weight)});
        }
    }
    return value.literal;
}

namespace {

Result<graph::TensorDesc> desc_of(DataType type, std::span<const std::int64_t> dims) {
    std::vector<std::uint32_t> sizes;
    for (const std::int64_t dim : dims) {
        if (dim == 0) {
            return fail(ErrorCode::Unsupported, "an empty tensor");
        }
        SLUICE_TRY_ASSIGN(sizes.emplace_back(), tensorflow::positive(dim, "dimension"));
    }
    SLUICE_TRY_ASSIGN(const graph::Shape shape, tensorflow::shape_of(sizes));
    return graph::TensorDesc::create(type, shape);
}

Result<OperandId> add_literal(graph::GraphBuilder& builder, const Literal& literal,
                              std::string_view name) {
    SLUICE_TRY_ASSIGN(const auto desc, desc_of(literal.type, literal.dims));
    const auto add = [&]<typename T>(T) {
        std::vector<T> values;
        for (const double value : literal.values) {
            values.push_back(static_cast<T>(value));
        }
        return builder.constant(desc, graph::ConstantData::copy(std::span<const T>(values)), name);
    };
    switch (literal.type) {
    case DataType::Float32: return add(float{});
    case DataType::Int32: return add(std::int32_t{});
    case DataType::Uint8: return add(std::uint8_t{});
    default: return fail(ErrorCode::Internal, "a literal of {}", graph::name(literal.type));
    }
}

} // namespace

Result<OperandId> materialize(Translation& translation, Value& value, std::string_view name) {
    if (value.id != graph::kNoOperand) {
        return value.id;
    }
    if (value.weight != nullptr) {
        SLUICE_TRY_ASSIGN(const auto desc, desc_of(value.weight->type, value.weight->dims));
        SLUICE_TRY_ASSIGN(auto data,
                          translation.weights.constant(*value.weight, translation.budget));
        SLUICE_TRY_ASSIGN(value.id, translation.builder.constant(desc, std::move(data), name));
    } else if (value.literal != nullptr) {
        SLUICE_TRY_ASSIGN(value.id, add_literal(translation.builder, *value.literal, name));
    } else {
        return fail(ErrorCode::Parse, "nothing computes '{}'", clean_text(name));
    }
    return value.id;
}

Result<Value*> Operation::value(std::size_t i) {
    if (i >= node_.inputs.size()) {
        return fail(ErrorCode::Parse, "input {} is missing", i);
    }
    const Source source = source_of(node_.inputs[i]);
    const auto found = translation_.values.find(source.name);
    if (found == translation_.values.end() || source.output >= found->second.size()) {
        return fail(ErrorCode::Parse, "nothing computes input {}, '{}'", i,
                    clean_text(node_.inputs[i]));
    }
    return &found->second[source.output];
}

Result<OperandId> Operation::input(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value * found, value(i));
    return materialize(translation_, *found, node_.inputs[i]);
}

Result<std::vector<OperandId>> Operation::inputs(std::size_t first, std::size_t end) {
    std::vector<OperandId> out;
    for (std::size_t i = first; i < end; ++i) {
        SLUICE_TRY_ASSIGN(out.emplace_back(), input(i));
    }
    return out;
}

Result<LiteralPtr> Operation::find_literal(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value * found, value(i));
    return literal_of(*found);
}

Result<LiteralPtr> Operation::literal(std::size_t i) {
    SLUICE_TRY_ASSIGN(LiteralPtr found, find_literal(i));
    if (found == nullptr) {
        return fail(ErrorCode::Unsupported, "input {}, '{}', is computed at run time", i,
                    clean_text(node_.inputs[i]));
    }
    return found;
}

Result<std::vector<std::int64_t>> Operation::integers(std::size_t i) {
    SLUICE_TRY_ASSIGN(const LiteralPtr found, literal(i));
    std::vector<std::int64_t> out;
    for (const double value : found->values) {
        if (!(std::abs(value) <= 9e15)) {
            return fail(ErrorCode::Parse, "input {} holds {}, which is no integer", i, value);
        }
        out.push_back(static_cast<std::int64_t>(value));
    }
    return out;
}

Result<std::int64_t> Operation::integer(std::size_t i) {
    SLUICE_TRY_ASSIGN(const auto values, integers(i));
    if (values.size() != 1) {
        return fail(ErrorCode::Parse, "input {} has {} elements, one is needed", i, values.size());
    }
    return values[0];
}

Result<double> Operation::number_input(std::size_t i) {
    SLUICE_TRY_ASSIGN(const LiteralPtr found, literal(i));
    if (found->values.size() != 1) {
        return fail(ErrorCode::Parse, "input {} has {} elements, one is needed", i,
                    found->values.size());
    }
    return found->values[0];
}

Result<std::vector<std::int64_t>> Operation::dims(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value * found, value(i));
    if (found->id != graph::kNoOperand) {
        const graph::Shape shape = this->shape(found->id);
        return std::vector<std::int64_t>(shape.begin(), shape.end());
    }
    return found->literal != nullptr ? found->literal->dims : found->weight->dims;
}

const json* Operation::find(std::string_view name) const {
    if (node_.attributes == nullptr) {
        return nullptr;
    }
    const auto found = node_.attributes->find(std::string(name));
    return found == node_.attributes->end() ? nullptr : &*found;
}

Result<std::int64_t> Operation::attribute(std::string_view name, std::int64_t otherwise) const {
    const json* value = member(find(name), "i");
    return value == nullptr ? Result<std::int64_t>(otherwise) : integer_of(*value, name);
}

Result<double> Operation::real(std::string_view name, double otherwise) const {
    const json* value = member(find(name), "f");
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number()) {
        return fail(ErrorCode::Parse, "attribute '{}' is no number", name);
    }
    return value->get<double>();
}

bool Operation::flag(std::string_view name) const {
    const json* value = member(find(name), "b");
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

Result<std::string> Operation::text(std::string_view name) const {
    const json* value = member(find(name), "s");
    if (value == nullptr) {
        return std::string();
    }
    if (!value->is_string()) {
        return fail(ErrorCode::Parse, "attribute '{}' is no text", name);
    }
    return decode_base64(value->get_ref<const std::string&>());
}

Result<std::vector<std::string>> Operation::text_list(std::string_view name) const {
    SLUICE_TRY_ASSIGN(const auto items, list_of(find(name), "s", name));
    std::vector<std::string> out;
    for (const json& item : items) {
        if (!item.is_string()) {
            return fail(ErrorCode::Parse, "attribute '{}' is no list of texts", name);
        }
        SLUICE_TRY_ASSIGN(out.emplace_back(), decode_base64(item.get_ref<const std::string&>()));
    }
    return out;
}

Result<std::vector<std::int64_t>> Operation::integer_list(std::string_view name) const {
    SLUICE_TRY_ASSIGN(const auto items, list_of(find(name), "i", name));
    std::vector<std::int64_t> out;
    for (const json& item : items) {
        SLUICE_TRY_ASSIGN(out.emplace_back(), integer_of(item, name));
    }
    return out;
}

Result<DataType> Operation::type(std::string_view name) const {
    const std::string text = type_text(find(name));
    if (text == "DT_FLOAT") {
        return DataType::Float32;
    }
    // TensorFlow.js has no wider integers.
    if (text == "DT_INT32" || text == "DT_INT64") {
        return DataType::Int32;
    }
    if (text == "DT_BOOL" || text == "DT_UINT8") {
        return DataType::Uint8;
    }
    return fail(ErrorCode::Unsupported, "the type {}", clean_text(text));
}

bool Operation::is_bool(std::string_view name) const {
    return type_text(find(name)) == "DT_BOOL";
}

Result<OperandId> Operation::add_constant(const Literal& literal) {
    return add_literal(build(), literal, label());
}

} // namespace sluice::models::tfjs
