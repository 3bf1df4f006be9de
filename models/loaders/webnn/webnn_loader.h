// SPDX-License-Identifier: Apache-2.0
// Loading of WebNN JSON and its file of weights.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models::webnn {

// An object that says so soon after its beginning.
[[nodiscard]] bool is_webnn(std::span<const std::byte> bytes);

// Makes the calls that the file lists. Constants point into the file of weights, whose hash must be
// the one that the description names: a mismatched pair is Parse. Unsupported lists all methods
// that MLGraphBuilder lacks.
[[nodiscard]] Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options);

// The same with the weights at hand, whatever their hash.
[[nodiscard]] Result<LoadedModel> load_with_weights(std::span<const std::byte> description,
                                                    const FileBytes& weights);

// The file of weights, if there is one.
[[nodiscard]] Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes);

} // namespace sluice::models::webnn
