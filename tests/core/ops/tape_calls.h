// SPDX-License-Identifier: Apache-2.0
// One call of a tape as a call of GraphBuilder.
#pragma once

#include <functional>
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

// A list of Web IDL unsigned longs; throws Obstacle::WebIdlThrows.
[[nodiscard]] std::vector<std::uint32_t> numbers(const nlohmann::json& list);

} // namespace sluice::testing
