// SPDX-License-Identifier: Apache-2.0
// JSON values as the types of attributes: one overload for each type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/graph/tensor_desc.h"
#include "core/ops/quantization.h"
#include "models/loaders/webnn/enums.h"

namespace sluice::models::webnn {

using nlohmann::json;

inline constexpr std::size_t kMaxListLength =
    65536; // of split, concat: the longest lists there are

// What a value should have been, for messages; each overload sets `out` only where it fits.
using Wanted = std::optional<std::string>;

inline Wanted parse(const json& value, bool& out) {
    if (!value.is_boolean()) {
        return "true or false";
    }
    out = value.get<bool>();
    return std::nullopt;
}

inline Wanted parse(const json& value, std::uint32_t& out) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
        return "a whole number within 0..4294967295";
    }
    out = value.get<std::uint32_t>();
    return std::nullopt;
}

inline Wanted parse(const json& value, std::int32_t& out) {
    const bool fits =
        value.is_number_unsigned()
            ? value.get<std::uint64_t>() <= std::numeric_limits<std::int32_t>::max()
            : value.is_number_integer() &&
                  value.get<std::int64_t>() >= std::numeric_limits<std::int32_t>::min();
    if (!fits) {
        return "a whole number within -2147483648..2147483647";
    }
    out = value.get<std::int32_t>();
    return std::nullopt;
}

inline Wanted parse(const json& value, double& out) {
    if (value.is_number()) {
        out = value.get<double>();
        return std::nullopt;
    }
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        constexpr double kEndless = std::numeric_limits<double>::infinity();
        for (const auto& [name, number] :
             {std::pair{"Infinity", kEndless}, std::pair{"-Infinity", -kEndless},
              std::pair{"NaN", std::numeric_limits<double>::quiet_NaN()}}) {
            if (text == name) {
                out = number;
                return std::nullopt;
            }
        }
    }
    return "a number, 'Infinity', '-Infinity' or 'NaN'";
}

inline Wanted parse(const json& value, float& out) {
    double number = 0.0;
    Wanted wanted = parse(value, number);
    if (!wanted) {
        out = static_cast<float>(number);
    }
    return wanted;
}

template <NamedEnum Enum>
Wanted parse(const json& value, Enum& out) {
    const auto known = value.is_string() ? enum_from_name<Enum>(value.get_ref<const std::string&>())
                                         : std::nullopt;
    if (known) {
        out = *known;
        return std::nullopt;
    }
    std::string list;
    for (const std::string_view name : kEnumNames<Enum>) {
        list += (list.empty() ? "'" : ", '") + std::string(name) + "'";
    }
    return "one of " + list;
}

template <typename T, std::size_t N>
Wanted parse(const json& value, std::array<T, N>& out) {
    if (!value.is_array() || value.size() != N) {
        return "a list of " + std::to_string(N);
    }
    for (std::size_t i = 0; i < N; ++i) {
        if (Wanted wanted = parse(value[i], out[i])) {
            return wanted;
        }
    }
    return std::nullopt;
}

inline Wanted parse(const json& value, std::vector<std::uint32_t>& out) {
    if (!value.is_array() || value.size() > kMaxListLength) {
        return "a list of up to " + std::to_string(kMaxListLength);
    }
    std::vector<std::uint32_t> list(value.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (Wanted wanted = parse(value[i], list[i])) {
            return wanted;
        }
    }
    out = std::move(list);
    return std::nullopt;
}

inline Wanted parse(const json& value, graph::Shape& out) {
    if (!value.is_array() || value.size() > graph::kMaxRank) {
        return "a list of up to " + std::to_string(graph::kMaxRank);
    }
    std::vector<std::uint32_t> dims;
    Wanted wanted = parse(value, dims);
    if (!wanted) {
        out = graph::Shape(dims);
    }
    return wanted;
}

inline Wanted parse(const json& value, ops::Quantization& out) {
    const auto fits = [&](const char* key, auto& member) {
        const auto found = value.is_object() ? value.find(key) : value.end();
        return value.is_object() && found != value.end() && !parse(*found, member);
    };
    return fits("scale", out.scale) && fits("zeroPoint", out.zero_point)
               ? Wanted()
               : "an object of scale and zeroPoint";
}

inline Wanted parse(const json& value, ops::QuantizedResult& out) {
    const auto found = value.is_object() ? value.find("dataType") : value.end();
    return value.is_object() && found != value.end() && !parse(*found, out.type) &&
                   !parse(value, out.quantization)
               ? Wanted()
               : "an object of dataType, scale and zeroPoint";
}

} // namespace sluice::models::webnn
