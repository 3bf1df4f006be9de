// SPDX-License-Identifier: Apache-2.0
// Attributes as text for printed graphs: "strides=[2,2] groups=24", defaults left out.
#pragma once

#include <concepts>
#include <format>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "core/graph/data_type.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/unary.h"

namespace sluice::ops {

// Collects " name=value" pieces; each call chains.
class AttributeText {
public:
    // Left out where `value` equals `fallback`.
    template <typename T>
    AttributeText& add(std::string_view key, const T& value, const T& fallback) {
        return value == fallback ? *this : add(key, value);
    }

    template <typename T>
    AttributeText& add(std::string_view key, const T& value) {
        if (!text_.empty()) {
            text_ += ' ';
        }
        text_ += key;
        text_ += '=';
        text_ += show(value);
        return *this;
    }

    AttributeText& flag(std::string_view key, bool set) {
        if (set) {
            text_ += text_.empty() ? "" : " ";
            text_ += key;
        }
        return *this;
    }

    // "activation=clamp(0,6)"; nothing for identity.
    AttributeText& activation(const Activation& function) {
        return function.kind == UnaryKind::Identity ? *this : add("activation", function);
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    template <typename T>
    [[nodiscard]] static std::string show(const T& value) {
        if constexpr (std::same_as<T, Activation>) {
            return describe(value);
        } else if constexpr (std::same_as<T, graph::Shape>) {
            return graph::to_string(value);
        } else if constexpr (std::same_as<T, graph::DataType>) {
            return std::string(graph::name(value));
        } else if constexpr (std::convertible_to<T, std::string_view>) {
            return std::string(std::string_view(value));
        } else if constexpr (std::ranges::range<T>) {
            std::string text = "[";
            for (const auto& item : value) {
                text += (text.size() == 1 ? "" : ",") + std::format("{}", item);
            }
            return text + "]";
        } else {
            return std::format("{}", value);
        }
    }

    std::string text_;
};

} // namespace sluice::ops
