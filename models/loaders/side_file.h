// SPDX-License-Identifier: Apache-2.0
// Files beside a model that hold its weights.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models {

// Maps `path`, as a model's file names it, relative to the model's folder. It must lie there or
// below, also after links are followed: anything else is Parse, so that no model reads what is none
// of its own. NotFound names it; Unsupported for a model that was loaded from memory (an empty
// folder).
[[nodiscard]] Result<FileBytes> map_side_file(const std::filesystem::path& folder,
                                              const std::string& path);
// The same in the memory or the folder of `options`, wherever the model's files are.
[[nodiscard]] Result<FileBytes> map_side_file(const LoadOptions& options, const std::string& path);

} // namespace sluice::models
