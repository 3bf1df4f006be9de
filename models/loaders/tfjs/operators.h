// SPDX-License-Identifier: Apache-2.0
// The table of operators: which mapping turns which TensorFlow operator into builder calls.
#pragma once

#include <string_view>

#include "models/loaders/tfjs/mappings.h"

namespace sluice::models::tfjs {

// Null for those that we lack.
[[nodiscard]] Mapping find_mapping(std::string_view op);

} // namespace sluice::models::tfjs
