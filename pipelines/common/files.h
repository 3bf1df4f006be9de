// SPDX-License-Identifier: Apache-2.0
// Whole files in and out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "core/base/result.h"

namespace sluice::pipelines {

// NotFound or Io names the path and the system's reason.
[[nodiscard]] Result<std::vector<std::byte>> read_file(const std::filesystem::path& path);

// Writes beside the target and renames, so that a failure leaves no half file.
[[nodiscard]] Status write_file(const std::filesystem::path& path,
                                std::span<const std::byte> bytes);

} // namespace sluice::pipelines
