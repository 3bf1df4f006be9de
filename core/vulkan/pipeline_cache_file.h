// SPDX-License-Identifier: Apache-2.0
// The file that keeps a driver's pipeline cache between processes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

// $XDG_CACHE_HOME/sluice/pipelines/<device>.bin, else under ~/.cache; empty where there is neither.
[[nodiscard]] std::filesystem::path pipeline_cache_path(const DeviceProfile& device);

// What write_pipeline_cache() wrote for this very device and driver. Anything else (another
// driver's, cut short, changed, of another version) is an error: drivers do not check their data.
[[nodiscard]] Result<std::vector<std::byte>> read_pipeline_cache(const std::filesystem::path& path,
                                                                 const DeviceProfile& device);
// By rename, so that readers and other writers see a whole file or none.
[[nodiscard]] Status write_pipeline_cache(const std::filesystem::path& path,
                                          const DeviceProfile& device,
                                          std::span<const std::byte> data);

} // namespace sluice::vulkan
