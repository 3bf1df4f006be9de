// SPDX-License-Identifier: Apache-2.0
// The TFLite loader: a .tflite file as a graph.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models::tflite {

[[nodiscard]] bool is_tflite(std::span<const std::byte> bytes);

// Reads the file's first graph. Its inputs and outputs carry the names of their tensors.
[[nodiscard]] Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options);

} // namespace sluice::models::tflite
