// SPDX-License-Identifier: Apache-2.0
// What a .tflite file says about itself: TFLITE_METADATA and the archive at its end.
#pragma once

#include "models/loaders/loader.h"
#include "models/loaders/tflite/file.h"

namespace sluice::models::tflite {

// Never fails: metadata is advice, and what is malformed counts as absent.
[[nodiscard]] ModelInfo read_metadata(const File& file);

} // namespace sluice::models::tflite
