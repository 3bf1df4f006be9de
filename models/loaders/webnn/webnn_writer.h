// SPDX-License-Identifier: Apache-2.0
// Any graph as WebNN JSON and a file of weights; models/README.md describes the format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/loader.h"

namespace sluice::models::webnn {

struct SavedModel {
    std::string description;        // the JSON
    std::vector<std::byte> weights; // empty for a graph without constants
};

// `weights_file` is the name under which the weights will lie beside the description. Calls of
// MLGraphBuilder's methods, in the order of the graph's nodes. Loading them again gives a graph
// that prints the same, if this one was made by a builder; passes may have left gaps in its ids,
// which are closed. Unsupported: the weights exceed what an address can hold.
[[nodiscard]] Result<SavedModel> save(const graph::Graph& graph, const ModelInfo& info,
                                      std::string_view weights_file);

} // namespace sluice::models::webnn
