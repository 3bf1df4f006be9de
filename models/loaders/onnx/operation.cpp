// SPDX-License-Identifier: Apache-2.0
// Access to a node's inputs, constants and attributes.
#include "models/loaders/onnx/operation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <format>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/tensor.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {

using graph::OperandId;
using schema::Attribute;

Value* Translation::find(std::string_view name) {
    for (Scope& scope : scopes | std::views::reverse) {
        if (const auto found = scope.find(name); found != scope.end()) {
            return &found->second;
        }
    }
    return nullptr;
}

Result<OperandId> materialize(Translation& translation, Value& value, std::string_view name) {
    if (value.id != graph::kNoOperand) {
        return value.id;
    }
    const auto add = [&]() -> Result<OperandId> {
        SLUICE_TRY_ASSIGN(Stored stored, value.tensor != nullptr
                                             ? read_constant(translation.source, *value.tensor)
                                             : store(*value.literal));
        return translation.builder.constant(stored.desc, std::move(stored.data), clean_text(name));
    };
    auto added = add();
    if (!added) {
        return std::unexpected(
            std::move(added).error().within(std::format("constant '{}'", clean_text(name))));
    }
    value.id = *added;
    return value.id;
}

bool Operation::has_input(std::size_t i) const {
    return i < input_count() && !node_.input(static_cast<int>(i)).empty();
}

bool Operation::has_output(std::size_t i) const {
    return i < output_count() && !node_.output(static_cast<int>(i)).empty();
}

Result<Value*> Operation::value(std::size_t i) {
    if (!has_input(i)) {
        return fail(ErrorCode::Parse, "input {} is missing", i);
    }
    const std::string& name = node_.input(static_cast<int>(i));
    Value* const found = translation_.find(name);
    if (found == nullptr) {
        return fail(ErrorCode::Parse, "'{}' is read before anything computes it", clean_text(name));
    }
    return found;
}

Result<OperandId> Operation::input(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value* const found, value(i));
    return materialize(translation_, *found, node_.input(static_cast<int>(i)));
}

Result<std::optional<OperandId>> Operation::optional_input(std::size_t i) {
    if (!has_input(i)) {
        return std::optional<OperandId>();
    }
    SLUICE_TRY_ASSIGN(const OperandId id, input(i));
    return std::optional(id);
}

bool Operation::is_literal(std::size_t i) {
    const auto found = value(i);
    if (!found) {
        return false;
    }
    if ((*found)->literal != nullptr) {
        return true;
    }
    if ((*found)->tensor == nullptr) {
        return false;
    }
    const auto& dims = (*found)->tensor->dims();
    const auto count = element_count({dims.data(), static_cast<std::size_t>(dims.size())});
    return count && *count <= kMaxLiteral;
}

Result<LiteralPtr> Operation::literal(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value* const found, value(i));
    if (found->literal == nullptr) {
        const std::string name = clean_text(node_.input(static_cast<int>(i)));
        if (found->tensor == nullptr) {
            return fail(ErrorCode::Unsupported,
                        "'{}' must be known at load time; give its value if it is an input of the "
                        "model, or let a simplifier fold the constants",
                        name);
        }
        auto read = read_literal(translation_.source, *found->tensor);
        if (!read) {
            return std::unexpected(
                std::move(read).error().within(std::format("constant '{}'", name)));
        }
        found->literal = std::make_shared<const Literal>(std::move(*read));
    }
    return found->literal;
}

Result<std::vector<std::int64_t>> Operation::integers(std::size_t i) {
    SLUICE_TRY_ASSIGN(const LiteralPtr values, literal(i));
    if (values->real()) {
        return fail(ErrorCode::Parse, "input {} has the type {}, integers are needed", i,
                    type_name(values->type));
    }
    return values->integers;
}

Result<double> Operation::scalar(std::size_t i) {
    SLUICE_TRY_ASSIGN(const LiteralPtr values, literal(i));
    if (values->size() != 1) {
        return fail(ErrorCode::Parse, "input {} has {} elements, one is needed", i, values->size());
    }
    return values->number(0);
}

Result<std::vector<std::int64_t>> Operation::dims(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value* const found, value(i));
    if (found->id != graph::kNoOperand) {
        const graph::Shape known = shape(found->id);
        return std::vector<std::int64_t>(known.begin(), known.end());
    }
    if (found->literal != nullptr) {
        return found->literal->dims;
    }
    const auto& dims = found->tensor->dims();
    SLUICE_TRY(element_count({dims.data(), static_cast<std::size_t>(dims.size())}));
    return std::vector<std::int64_t>(dims.begin(), dims.end());
}

Result<ElementType> Operation::type(std::size_t i) {
    SLUICE_TRY_ASSIGN(Value* const found, value(i));
    if (found->literal != nullptr) {
        return found->literal->type;
    }
    if (found->tensor != nullptr) {
        return static_cast<ElementType>(found->tensor->data_type());
    }
    return found->is_bool ? schema::Tensor::BOOL : element_type(desc(found->id).type());
}

const Attribute* Operation::find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        node_.attribute(), [&](const Attribute& attribute) { return attribute.name() == name; });
    return found == node_.attribute().end() ? nullptr : &*found;
}

namespace {

// Files of the first versions leave the kind out.
Status check_kind(const Attribute& attribute, Attribute::Kind kind) {
    if (attribute.has_type() && attribute.type() != kind) {
        return fail(ErrorCode::Parse, "attribute {} has the kind {}, {} is needed",
                    clean_text(attribute.name()), attribute.type(), static_cast<int>(kind));
    }
    return {};
}

} // namespace

Result<std::int64_t> Operation::integer(std::string_view name, std::int64_t otherwise) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return otherwise;
    }
    SLUICE_TRY(check_kind(*found, Attribute::INT));
    return found->i();
}

Result<double> Operation::real(std::string_view name, double otherwise) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return otherwise;
    }
    SLUICE_TRY(check_kind(*found, Attribute::FLOAT));
    return static_cast<double>(found->f());
}

Result<std::string> Operation::text(std::string_view name, std::string_view otherwise) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return std::string(otherwise);
    }
    SLUICE_TRY(check_kind(*found, Attribute::STRING));
    return clean_text(found->s());
}

Result<std::vector<std::int64_t>> Operation::integer_list(std::string_view name) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return std::vector<std::int64_t>();
    }
    SLUICE_TRY(check_kind(*found, Attribute::INTS));
    return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
}

Result<std::vector<double>> Operation::real_list(std::string_view name) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return std::vector<double>();
    }
    SLUICE_TRY(check_kind(*found, Attribute::FLOATS));
    return std::vector<double>(found->floats().begin(), found->floats().end());
}

Result<std::vector<std::string>> Operation::text_list(std::string_view name) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return std::vector<std::string>();
    }
    SLUICE_TRY(check_kind(*found, Attribute::STRINGS));
    return std::vector<std::string>(found->strings().begin(), found->strings().end());
}

Result<const schema::Tensor*> Operation::tensor(std::string_view name) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return nullptr;
    }
    SLUICE_TRY(check_kind(*found, Attribute::TENSOR));
    return &found->t();
}

Result<const schema::Graph*> Operation::subgraph(std::string_view name) const {
    const Attribute* const found = find(name);
    if (found == nullptr) {
        return nullptr;
    }
    SLUICE_TRY(check_kind(*found, Attribute::GRAPH));
    return &found->g();
}

Result<std::optional<std::vector<std::int64_t>>> Operation::integers_of(std::string_view name,
                                                                        std::size_t i) {
    if (has(name)) {
        SLUICE_TRY_ASSIGN(auto listed, integer_list(name));
        return std::optional(std::move(listed));
    }
    if (has_input(i)) {
        SLUICE_TRY_ASSIGN(auto listed, integers(i));
        return std::optional(std::move(listed));
    }
    return std::optional<std::vector<std::int64_t>>();
}

Result<OperandId> Operation::number(OperandId like, double value) {
    return build().constant(desc(like).type(), value);
}

Result<OperandId> Operation::table(OperandId like, const graph::Shape& shape,
                                   std::vector<double> values) {
    return add_constant({.type = element_type(desc(like).type()),
                         .dims = {shape.begin(), shape.end()},
                         .integers = {},
                         .reals = std::move(values)});
}

Result<OperandId> Operation::reshaped(OperandId x, const graph::Shape& shape) {
    if (this->shape(x) == shape) {
        return x;
    }
    return build().reshape(x, shape, label_);
}

Result<OperandId> Operation::add_constant(const Literal& literal) {
    SLUICE_TRY_ASSIGN(Stored stored, store(literal));
    return build().constant(stored.desc, std::move(stored.data));
}

Result<std::uint32_t> axis_of(std::int64_t axis, std::size_t rank) {
    const auto limit = static_cast<std::int64_t>(rank);
    if (axis < -limit || axis >= limit) {
        return fail(ErrorCode::Parse, "axis {} of a tensor of {} dimensions", axis, rank);
    }
    return static_cast<std::uint32_t>(axis < 0 ? axis + limit : axis);
}

Result<std::vector<std::uint32_t>> axes_of(const std::vector<std::int64_t>& axes,
                                           std::size_t rank) {
    std::vector<std::uint32_t> out;
    for (const std::int64_t axis : axes) {
        SLUICE_TRY_ASSIGN(const std::uint32_t found, axis_of(axis, rank));
        if (std::ranges::contains(out, found)) {
            return fail(ErrorCode::Parse, "axis {} is listed twice", axis);
        }
        out.push_back(found);
    }
    return out;
}

Result<std::uint32_t> positive(std::int64_t value, std::string_view what) {
    if (value <= 0 || !std::in_range<std::uint32_t>(value)) {
        return fail(ErrorCode::Parse, "{} is {}, a positive number is needed", what, value);
    }
    return static_cast<std::uint32_t>(value);
}

Result<std::uint32_t> not_negative(std::int64_t value, std::string_view what) {
    if (value < 0 || !std::in_range<std::uint32_t>(value)) {
        return fail(ErrorCode::Parse, "{} is {}, a number that is not negative is needed", what,
                    value);
    }
    return static_cast<std::uint32_t>(value);
}

} // namespace sluice::models::onnx
