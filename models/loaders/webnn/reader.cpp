// SPDX-License-Identifier: Apache-2.0
// Reading of method calls: the other visitor over the field lists.
#include "models/loaders/webnn/reader.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/text.h"
#include "models/loaders/webnn/enums.h"
#include "models/loaders/webnn/fields.h"
#include "models/loaders/webnn/format.h"
#include "models/loaders/webnn/operators.h"
#include "models/loaders/webnn/values.h"

namespace sluice::models::webnn {
namespace {

// A JSON value as text for a message.
std::string shown(const json& value) {
    return clean_text(value.dump(-1, ' ', true, json::error_handler_t::replace), 60);
}

// The members of an object of the call, and which of them have been read.
class Members {
public:
    Members(const json& call, const char* key) : key_(key) {
        const auto found = call.find(key);
        object_ = found == call.end() ? nullptr : &*found;
    }

    [[nodiscard]] Status check() const {
        if (object_ != nullptr && !object_->is_object()) {
            return fail(ErrorCode::Parse, "{} is no object", key_);
        }
        return {};
    }
    // Null where it is absent.
    const json* take(std::string_view name) {
        if (object_ == nullptr) {
            return nullptr;
        }
        const auto found = object_->find(name);
        if (found == object_->end()) {
            return nullptr;
        }
        read_.push_back(name);
        return &*found;
    }
    // What nobody asked for would be lost silently.
    [[nodiscard]] Status check_all_read() const {
        if (object_ == nullptr || object_->size() == read_.size()) {
            return {};
        }
        for (const auto& [name, value] : object_->items()) {
            if (!std::ranges::contains(read_, std::string_view(name))) {
                return fail(ErrorCode::Parse, "there is no '{}' in its {}", clean_text(name), key_);
            }
        }
        return {};
    }

private:
    const char* key_;
    const json* object_ = nullptr;
    std::vector<std::string_view> read_;
};

class CallReader {
public:
    explicit CallReader(const json& call)
        : arguments_(call, "arguments"), options_(call, "options") {
        keep(arguments_.check());
        keep(options_.check());
    }

    void operand(std::string_view name) { add_operand(needed(arguments_, name), name); }
    void operands(std::string_view name) {
        std::vector<std::uint32_t> list;
        set(needed(arguments_, name), name, list);
        inputs_.insert(inputs_.end(), list.begin(), list.end());
    }
    void optional_operand(std::string_view name, bool& has) {
        const json* const value = ok() ? options_.take(name) : nullptr;
        has = value != nullptr;
        add_operand(value, name);
    }
    template <typename T>
    void argument(std::string_view name, T& member) {
        set(needed(arguments_, name), name, member);
    }
    template <typename T>
    void option(std::string_view name, T& member) {
        set(ok() ? options_.take(name) : nullptr, name, member);
    }
    template <typename T>
    void needed_option(std::string_view name, T& member) {
        set(needed(options_, name), name, member);
    }
    template <typename T>
    void option_unless_empty(std::string_view name, T& member) {
        option(name, member);
    }
    void method(const auto& /*member*/) {} // known from the method's name
    void parameters(ops::Activation& function) {
        for (const Parameter& parameter : parameters_of(function.kind)) {
            option(parameter.name, function.*parameter.member);
        }
    }
    void epilogue(ops::Activation& function) {
        const json* const value = ok() ? options_.take(kEpilogue) : nullptr;
        if (value == nullptr) {
            return;
        }
        auto method = read_text(*value, "method");
        if (!method) {
            keep(std::unexpected(std::move(method).error().within(kEpilogue)));
            return;
        }
        const ops::Attributes* const known = find_method(*method);
        const auto* const unary = known == nullptr ? nullptr : std::get_if<ops::Unary>(known);
        if (unary == nullptr) {
            keep(fail(ErrorCode::Parse, "{} '{}' is no element-wise function", kEpilogue,
                      clean_text(*method)));
            return;
        }
        function = unary->function;
        for (const Parameter& parameter : parameters_of(function.kind)) {
            const auto found = value->find(parameter.name);
            set(found == value->end() ? nullptr : &*found, parameter.name,
                function.*parameter.member);
        }
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> finish() && {
        SLUICE_TRY(std::move(status_));
        SLUICE_TRY(arguments_.check_all_read());
        SLUICE_TRY(options_.check_all_read());
        return std::move(inputs_);
    }

private:
    [[nodiscard]] bool ok() const { return status_.has_value(); }
    // The first problem stays.
    void keep(Status status) {
        if (ok()) {
            status_ = std::move(status);
        }
    }
    const json* needed(Members& members, std::string_view name) {
        const json* const value = ok() ? members.take(name) : nullptr;
        if (value == nullptr) {
            keep(fail(ErrorCode::Parse, "'{}' is missing", name));
        }
        return value;
    }
    template <typename T>
    void set(const json* value, std::string_view name, T& member) {
        if (value == nullptr || !ok()) {
            return;
        }
        if (const Wanted wanted = parse(*value, member)) {
            keep(fail(ErrorCode::Parse, "'{}' is {}, not {}", name, shown(*value), *wanted));
        }
    }
    void add_operand(const json* value, std::string_view name) {
        if (value != nullptr && ok()) {
            std::uint32_t place = 0;
            set(value, name, place);
            inputs_.push_back(place);
        }
    }

    Members arguments_;
    Members options_;
    Status status_;
    std::vector<std::uint32_t> inputs_;
};

} // namespace

Result<Call> read_call(const json& call, const ops::Attributes& attributes) {
    Call out{.attributes = attributes, .inputs = {}};
    CallReader reader(call);
    std::visit(
        [&]<typename Op>(Op& op) {
            if constexpr (!std::is_same_v<Op, std::monostate>) {
                fields(reader, op);
            }
        },
        out.attributes);
    SLUICE_TRY_ASSIGN(out.inputs, std::move(reader).finish());
    return out;
}

Result<std::uint32_t> read_number(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (found == object.end()) {
        return fail(ErrorCode::Parse, "'{}' is missing", key);
    }
    std::uint32_t value = 0;
    if (const Wanted wanted = parse(*found, value)) {
        return fail(ErrorCode::Parse, "'{}' is {}, not {}", key, shown(*found), *wanted);
    }
    return value;
}

Result<std::string> read_text(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (found == object.end() || !found->is_string()) {
        return fail(ErrorCode::Parse, "the text '{}' is missing", key);
    }
    return found->get<std::string>();
}

Result<graph::TensorDesc> read_desc(const json& object) {
    graph::DataType type{};
    graph::Shape shape;
    const auto type_found = object.is_object() ? object.find("dataType") : object.end();
    const auto shape_found = object.is_object() ? object.find("shape") : object.end();
    if (type_found == object.end() || shape_found == object.end()) {
        return fail(ErrorCode::Parse, "dataType and shape are needed");
    }
    if (const Wanted wanted = parse(*type_found, type)) {
        return fail(ErrorCode::Parse, "'dataType' is {}, not {}", shown(*type_found), *wanted);
    }
    if (const Wanted wanted = parse(*shape_found, shape)) {
        return fail(ErrorCode::Parse, "'shape' is {}, not {}", shown(*shape_found), *wanted);
    }
    return graph::TensorDesc::create(type, shape);
}

} // namespace sluice::models::webnn
