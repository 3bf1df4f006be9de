// SPDX-License-Identifier: Apache-2.0
// The table of operators: which mapping turns which TFLite operator into builder calls.
#pragma once

#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

// The mapping of a builtin or custom operator; null for those that we lack.
[[nodiscard]] Mapping find_mapping(const schema::OperatorCode& code);

} // namespace sluice::models::tflite
