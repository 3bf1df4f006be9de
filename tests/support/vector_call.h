// SPDX-License-Identifier: Apache-2.0
// One call of a conformance vector, and what the functions that make such calls share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/graph/builder.h"

namespace sluice::testing {

// One call: its arguments and options by name, and the operands that exist so far.
struct Call {
    graph::GraphBuilder& builder;
    const std::map<std::string, graph::OperandId>& operands;
    nlohmann::json arguments; // options among them

    [[nodiscard]] bool has(const char* name) const { return arguments.contains(name); }
    [[nodiscard]] graph::OperandId operand(const char* name) const {
        return operands.at(arguments.at(name).get<std::string>());
    }
    [[nodiscard]] std::optional<graph::OperandId> optional_operand(const char* name) const {
        return has(name) ? std::optional(operand(name)) : std::nullopt;
    }
    template <typename T>
    [[nodiscard]] T get(const char* name, T otherwise) const {
        return arguments.value(name, otherwise);
    }
};

using Operands = Result<std::vector<graph::OperandId>>;
using BuildFunction = Operands (*)(const Call& call);

// Gathers, scatters, normalisations, recurrent networks and quantisation, by WebNN's names.
[[nodiscard]] const std::map<std::string, BuildFunction>& network_functions();

[[nodiscard]] inline Operands single(Result<graph::OperandId> id) {
    if (!id) {
        return std::unexpected(std::move(id).error());
    }
    return std::vector{*id};
}

// [top, bottom, left, right] or [height, width], whichever N says.
template <std::size_t N>
[[nodiscard]] std::array<std::uint32_t, N> numbers(const Call& call, const char* name,
                                                   std::uint32_t otherwise) {
    std::array<std::uint32_t, N> out{};
    out.fill(otherwise);
    return call.get(name, out);
}

[[nodiscard]] inline ops::InputLayout layout_of(const Call& call, const char* name) {
    return call.get<std::string>(name, "nchw") == "nhwc" ? ops::InputLayout::Nhwc
                                                         : ops::InputLayout::Nchw;
}

[[nodiscard]] inline graph::Shape shape_of(const Call& call, const char* name) {
    return graph::Shape(
        std::span<const std::uint32_t>(call.arguments.at(name).get<std::vector<std::uint32_t>>()));
}

} // namespace sluice::testing
