// SPDX-License-Identifier: Apache-2.0
// The TensorFlow.js loader: model.json with its weight shards, as graph model (a frozen TensorFlow
// graph) or layers model (Keras).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models::tfjs {

[[nodiscard]] bool is_tfjs(std::span<const std::byte> bytes);

// The shards lie beside the file, in options.folder. Weights that were stored as float16, uint8 or
// uint16 are float32 in the graph.
//
// Sizes that the file leaves open: a batch is 1; height and width of a picture are those of
// `options`; options.shapes names the whole shape of an input. Anything else is Unsupported, with
// the input's name.
[[nodiscard]] Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options);

// The shards.
[[nodiscard]] Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes);

} // namespace sluice::models::tfjs
