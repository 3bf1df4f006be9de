// SPDX-License-Identifier: Apache-2.0
// The nodes of a graph model, and which of their results are wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

// An output: "name" or "name:1", as inputs are written, and what the signature calls it.
struct WantedOutput {
    std::string tensor;
    std::string name;
};

// Nodes point into the document that they were read from.
struct Topology {
    std::vector<Node> nodes;
    std::map<std::string, std::size_t, std::less<>> by_name; // of nodes
    std::vector<WantedOutput> outputs;
};

// Parse: no list of nodes with unique names, or no outputs.
[[nodiscard]] Result<Topology> read_topology(const nlohmann::json& document);
// The dimensions that a Placeholder has, -1 where they are open.
[[nodiscard]] std::vector<std::int64_t> placeholder_dims(const Node& node);

} // namespace sluice::models::tfjs
