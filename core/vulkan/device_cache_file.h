// SPDX-License-Identifier: Apache-2.0
// Files that are kept between processes for one device and driver: compiled pipelines, tuned tiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

// $XDG_CACHE_HOME/sluice/pipelines/<device>.<extension>, else under ~/.cache; empty where there is
// neither.
[[nodiscard]] std::filesystem::path device_cache_path(const DeviceProfile& device,
                                                      std::string_view extension);

// What a file holds: files of another kind or version are refused.
struct CacheKind {
    std::string_view name;  // "pipeline cache"
    std::string_view magic; // eight bytes
    std::uint32_t version = 1;
};

// What write_device_cache() wrote for this driver's version. Anything else (cut short, changed, of
// another version) is Parse; no file at all is NotFound.
[[nodiscard]] Result<std::vector<std::byte>> read_device_cache(const std::filesystem::path& path,
                                                               const DeviceProfile& device,
                                                               const CacheKind& kind);
// By rename, so that readers and other writers see a whole file or none.
[[nodiscard]] Status write_device_cache(const std::filesystem::path& path,
                                        const DeviceProfile& device, const CacheKind& kind,
                                        std::span<const std::byte> data);

} // namespace sluice::vulkan
