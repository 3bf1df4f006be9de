// SPDX-License-Identifier: Apache-2.0
// Layers models: Keras networks, sequential or functional.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/loader.h"
#include "models/loaders/tfjs/weights.h"

namespace sluice::models::tfjs {

// `topology` is model.json's modelTopology.
[[nodiscard]] Result<graph::Graph> load_layers_model(const nlohmann::json& topology,
                                                     Weights weights, const LoadOptions& options);

} // namespace sluice::models::tfjs
