// SPDX-License-Identifier: Apache-2.0
// One call of a tape as a call of GraphBuilder.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/graph/builder.h"

namespace sluice::testing {

// What stops a call from being made at all. Web IDL conversions throw for a number that is no
// unsigned long; lengths that our array types fix at compile time cannot even be written.
enum class Obstacle : std::uint8_t { WebIdlThrows, NotExpressible };

// Finds the operand that a reference {"$op": id} means.
using Resolve = std::function<graph::OperandId(const nlohmann::json&)>;

struct CallContext {
    graph::GraphBuilder& builder;
    const nlohmann::json& args;
    const nlohmann::json& options; // an empty object where the call has none
    std::string label;
    Resolve resolve;
};

using Made = Result<std::vector<graph::OperandId>>;
// Makes the call; throws Obstacle where it cannot be made.
using MakeCall = std::function<Made(const CallContext&)>;

// The maker for a WebNN method, null for those whose operator is not ours.
[[nodiscard]] const MakeCall* find_call(const std::string& method);

// Adds the makers of gathers, scatters, normalisations, recurrent networks and quantisation.
void add_network_calls(std::map<std::string, MakeCall>& table);

// A Web IDL unsigned long; throws Obstacle::WebIdlThrows.
[[nodiscard]] std::uint32_t number(const nlohmann::json& value);
// A list of Web IDL unsigned longs; throws Obstacle::WebIdlThrows.
[[nodiscard]] std::vector<std::uint32_t> numbers(const nlohmann::json& list);

// Operand i of the call.
[[nodiscard]] inline graph::OperandId arg(const CallContext& call, std::size_t i) {
    return call.resolve(call.args.at(i));
}

// The operand that an option names, if it does.
[[nodiscard]] inline std::optional<graph::OperandId> operand(const CallContext& call,
                                                             const char* key) {
    if (!call.options.contains(key)) {
        return std::nullopt;
    }
    return call.resolve(call.options[key]);
}

[[nodiscard]] inline Made single(const Result<graph::OperandId>& id) {
    if (!id) {
        return std::unexpected(id.error());
    }
    return std::vector{*id};
}

// One of an enumeration's names.
template <typename Layout>
void read_layout(const nlohmann::json& options, const char* key, Layout& out,
                 const std::map<std::string, Layout>& names) {
    if (!options.contains(key)) {
        return;
    }
    const auto found = names.find(options[key].get<std::string>());
    if (found == names.end()) {
        throw Obstacle::WebIdlThrows;
    }
    out = found->second;
}

} // namespace sluice::testing
