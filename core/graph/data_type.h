// SPDX-License-Identifier: Apache-2.0
// The eight tensor data types of WebNN (section 7.3, MLOperandDataType).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::graph {

enum class DataType : std::uint8_t { Float32, Float16, Int32, Uint32, Int64, Uint64, Int8, Uint8 };

struct DataTypeInfo {
    std::string_view name; // WebNN's name: "float32"
    std::size_t bytes;     // of one element
    bool is_float;
    bool is_signed;
};

// Indexed by DataType.
inline constexpr std::array<DataTypeInfo, 8> kDataTypes{{
    {.name = "float32", .bytes = 4, .is_float = true, .is_signed = true},
    {.name = "float16", .bytes = 2, .is_float = true, .is_signed = true},
    {.name = "int32", .bytes = 4, .is_float = false, .is_signed = true},
    {.name = "uint32", .bytes = 4, .is_float = false, .is_signed = false},
    {.name = "int64", .bytes = 8, .is_float = false, .is_signed = true},
    {.name = "uint64", .bytes = 8, .is_float = false, .is_signed = false},
    {.name = "int8", .bytes = 1, .is_float = false, .is_signed = true},
    {.name = "uint8", .bytes = 1, .is_float = false, .is_signed = false},
}};

[[nodiscard]] constexpr const DataTypeInfo& info(DataType type) {
    return kDataTypes[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr std::string_view name(DataType type) {
    return info(type).name;
}
[[nodiscard]] constexpr std::size_t size_of(DataType type) {
    return info(type).bytes;
}
[[nodiscard]] constexpr bool is_float(DataType type) {
    return info(type).is_float;
}

// The type with this WebNN name, if there is one.
[[nodiscard]] constexpr std::optional<DataType> data_type_from_name(std::string_view text) {
    for (std::size_t i = 0; i < kDataTypes.size(); ++i) {
        if (kDataTypes[i].name == text) {
            return static_cast<DataType>(i);
        }
    }
    return std::nullopt;
}

} // namespace sluice::graph
