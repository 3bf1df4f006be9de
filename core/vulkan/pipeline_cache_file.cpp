// SPDX-License-Identifier: Apache-2.0
// Reading and writing of pipeline cache files.
#include "core/vulkan/pipeline_cache_file.h"

#include <algorithm>
#include <cstring>

#include "core/vulkan/api.h"
#include "core/vulkan/device_cache_file.h"

namespace sluice::vulkan {

namespace {

constexpr CacheKind kPipelineCache{.name = "pipeline cache", .magic = "sluicepc", .version = 1};

// The header that Vulkan prescribes for the driver's data.
bool made_by(const DeviceProfile& device, std::span<const std::byte> data) {
    VkPipelineCacheHeaderVersionOne header{};
    if (data.size() < sizeof(header)) {
        return false;
    }
    std::memcpy(&header, data.data(), sizeof(header));
    return header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           header.vendorID == device.vendor_id && header.deviceID == device.device_id &&
           std::ranges::equal(header.pipelineCacheUUID, device.cache_uuid);
}

} // namespace

std::filesystem::path pipeline_cache_path(const DeviceProfile& device) {
    return device_cache_path(device, "bin");
}

Result<std::vector<std::byte>> read_pipeline_cache(const std::filesystem::path& path,
                                                   const DeviceProfile& device) {
    SLUICE_TRY_ASSIGN(auto data, read_device_cache(path, device, kPipelineCache));
    if (!made_by(device, data)) {
        return fail(ErrorCode::Parse, "'{}' is of another device than '{}'", path.string(),
                    device.name);
    }
    return data;
}

Status write_pipeline_cache(const std::filesystem::path& path, const DeviceProfile& device,
                            std::span<const std::byte> data) {
    return write_device_cache(path, device, kPipelineCache, data);
}

} // namespace sluice::vulkan
