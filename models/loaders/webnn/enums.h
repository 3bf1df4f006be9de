// SPDX-License-Identifier: Apache-2.0
// The enums of WebNN's dictionaries by their names in the specification.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/graph/data_type.h"
#include "core/ops/attributes.h"

namespace sluice::models::webnn {

// Names in the order of the enumerators; one specialisation an enum.
template <typename Enum>
inline constexpr std::array<std::string_view, 0> kEnumNames{};

template <>
inline constexpr auto kEnumNames<graph::DataType> = [] {
    std::array<std::string_view, graph::kDataTypes.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = graph::kDataTypes[i].name;
    }
    return names;
}();
// Of the engine's quantised operators only.
template <>
inline constexpr auto kEnumNames<ops::BinaryKind> = std::to_array<std::string_view>({
#define SLUICE_BINARY(name, Type, domain, expression, low, high) #name,
#include "core/ops/binary.def"
#undef SLUICE_BINARY
});
// MLInputOperandLayout
template <>
inline constexpr auto kEnumNames<ops::InputLayout> =
    std::to_array<std::string_view>({"nchw", "nhwc"});
// MLConv2dFilterOperandLayout
template <>
inline constexpr auto kEnumNames<ops::Conv2dFilterLayout> =
    std::to_array<std::string_view>({"oihw", "hwio", "ohwi", "ihwo"});
// MLConvTranspose2dFilterOperandLayout
template <>
inline constexpr auto kEnumNames<ops::ConvTranspose2dFilterLayout> =
    std::to_array<std::string_view>({"iohw", "hwoi", "ohwi"});
// MLInterpolationMode
template <>
inline constexpr auto kEnumNames<ops::Interpolation> =
    std::to_array<std::string_view>({"nearest-neighbor", "linear"});
// MLPaddingMode
template <>
inline constexpr auto kEnumNames<ops::PaddingMode> =
    std::to_array<std::string_view>({"constant", "edge", "reflection"});
// MLRoundingType
template <>
inline constexpr auto kEnumNames<ops::OutputRounding> =
    std::to_array<std::string_view>({"floor", "ceil"});
// MLRecurrentNetworkDirection
template <>
inline constexpr auto kEnumNames<ops::Direction> =
    std::to_array<std::string_view>({"forward", "backward", "both"});
// MLRecurrentNetworkActivation
template <>
inline constexpr auto kEnumNames<ops::RecurrentActivation> =
    std::to_array<std::string_view>({"relu", "sigmoid", "tanh"});
// MLGruWeightLayout
template <>
inline constexpr auto kEnumNames<ops::GruLayout> = std::to_array<std::string_view>({"zrn", "rzn"});
// MLLstmWeightLayout
template <>
inline constexpr auto kEnumNames<ops::LstmLayout> =
    std::to_array<std::string_view>({"iofg", "ifgo"});

template <typename Enum>
concept NamedEnum = kEnumNames<Enum>.size() > 0;

template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view enum_name(Enum value) {
    return kEnumNames<Enum>[static_cast<std::size_t>(value)];
}

template <NamedEnum Enum>
[[nodiscard]] constexpr std::optional<Enum> enum_from_name(std::string_view name) {
    for (std::size_t i = 0; i < kEnumNames<Enum>.size(); ++i) {
        if (kEnumNames<Enum>[i] == name) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

} // namespace sluice::models::webnn
