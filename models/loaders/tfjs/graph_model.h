// SPDX-License-Identifier: Apache-2.0
// Graph models: frozen TensorFlow graphs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/loader.h"
#include "models/loaders/tfjs/weights.h"

namespace sluice::models::tfjs {

// `document` is model.json. Outputs are those of its signature, under the names that it
// gives them, else the nodes that nobody reads; only what they need is translated.
[[nodiscard]] Result<graph::Graph> load_graph_model(const nlohmann::json& document, Weights weights,
                                                    const LoadOptions& options);

} // namespace sluice::models::tfjs
