// SPDX-License-Identifier: Apache-2.0
// Buffers over dmabufs, taken from others or handed out.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <sys/types.h>
#include <unistd.h>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/allocation.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

namespace {

constexpr auto kDmaBuf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr std::size_t kPageBytes = 4096; // what dmabufs consist of

// What the driver says of buffers over memory of this kind.
VkExternalMemoryProperties external_properties(const Device& device,
                                               VkExternalMemoryHandleTypeFlagBits handle) {
    const VkPhysicalDeviceExternalBufferInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = kBufferUsage,
        .handleType = handle,
    };
    VkExternalBufferProperties found{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
    };
    vkGetPhysicalDeviceExternalBufferProperties(device.physical(), &info, &found);
    return found.externalMemoryProperties;
}

// A memory type in which the dmabuf can be imported.
std::optional<std::uint32_t> dma_buf_type(const Device& device, const UniqueFd& fd,
                                          std::uint32_t allowed) {
    VkMemoryFdPropertiesKHR of_fd{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    if (device.table().vkGetMemoryFdPropertiesKHR(device.handle(), kDmaBuf, fd.get(), &of_fd) !=
        VK_SUCCESS) {
        return std::nullopt;
    }
    return pick_type(device.memory_properties(), allowed & of_fd.memoryTypeBits, {kLocal, 0, 0});
}

} // namespace

Result<Buffer> Buffer::import_dma_buf(const std::shared_ptr<Device>& device, UniqueFd fd,
                                      std::size_t bytes) {
    const DeviceProfile& profile = device->profile();
    if (!profile.import_dma_buf) {
        return fail(ErrorCode::Unsupported,
                    "'{}' cannot import dmabufs (no VK_EXT_external_memory_dma_buf)", profile.name);
    }
    SLUICE_TRY(check_size(*device, bytes));
    // A size that lies would let shaders read what is not there.
    const off_t there = ::lseek(fd.get(), 0, SEEK_END);
    if (there < 0 || static_cast<std::size_t>(there) < bytes) {
        return fail(ErrorCode::InvalidArgument,
                    "the dmabuf of file descriptor {} has {} bytes, {} are to be imported",
                    fd.get(), there, bytes);
    }
    const VkExternalMemoryProperties external = external_properties(*device, kDmaBuf);
    if ((external.externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) == 0) {
        return fail(ErrorCode::Unsupported, "'{}' imports dmabufs as images only", profile.name);
    }
    Buffer buffer(*device, bytes);
    SLUICE_TRY_ASSIGN(buffer.buffer_, create_buffer(*device, bytes, kDmaBuf));
    const VkMemoryRequirements requirements = requirements_of(*device, buffer.buffer_);
    const auto type = dma_buf_type(*device, fd, requirements.memoryTypeBits);
    if (!type || requirements.size > align_up(static_cast<std::size_t>(there), kPageBytes)) {
        return fail(ErrorCode::Unsupported,
                    "'{}' refuses the dmabuf of file descriptor {} with its {} bytes as a buffer "
                    "of {}",
                    profile.name, fd.get(), there, requirements.size);
    }
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .buffer = buffer.buffer_.get(),
    };
    const bool only_dedicated =
        (external.externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
    const VkImportMemoryFdInfoKHR import{
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .pNext = only_dedicated ? &dedicated : nullptr,
        .handleType = kDmaBuf,
        .fd = fd.get(),
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &import,
        .allocationSize = requirements.size,
        .memoryTypeIndex = *type,
    };
    SLUICE_TRY_ASSIGN(
        buffer.memory_,
        import_memory(*device, info, std::format("importing a dmabuf of {} bytes", bytes)));
    std::ignore = fd.release(); // the driver's now
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    return buffer;
}

Result<Buffer::Exported> Buffer::create_exported(const std::shared_ptr<Device>& device,
                                                 std::size_t bytes) {
    const DeviceProfile& profile = device->profile();
    SLUICE_TRY(check_size(*device, bytes));
    if (!profile.import_dma_buf || (external_properties(*device, kDmaBuf).externalMemoryFeatures &
                                    VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) == 0) {
        return fail(ErrorCode::Unsupported, "'{}' cannot export memory as a dmabuf", profile.name);
    }
    Buffer buffer(*device, bytes);
    SLUICE_TRY_ASSIGN(buffer.buffer_, create_buffer(*device, bytes, kDmaBuf));
    const VkMemoryRequirements requirements = requirements_of(*device, buffer.buffer_);
    const auto type = pick_type(device->memory_properties(), requirements.memoryTypeBits,
                                {kLocal | kMapped, kMapped, kLocal});
    if (!type) {
        return fail(ErrorCode::Unsupported, "'{}' has no memory type for a dmabuf", profile.name);
    }
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .buffer = buffer.buffer_.get(),
    };
    const VkExportMemoryAllocateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .pNext = &dedicated,
        .handleTypes = kDmaBuf,
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &exported,
        .allocationSize = requirements.size,
        .memoryTypeIndex = *type,
    };
    SLUICE_TRY_ASSIGN(
        buffer.memory_,
        allocate_memory(*device, info, std::format("allocating a dmabuf of {} bytes", bytes)));
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    const VkMemoryGetFdInfoKHR get{
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = buffer.memory_.get(),
        .handleType = kDmaBuf,
    };
    int fd = -1;
    if (const VkResult result = device->table().vkGetMemoryFdKHR(device->handle(), &get, &fd);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkGetMemoryFdKHR"));
    }
    return Exported{.buffer = std::move(buffer), .fd = UniqueFd(fd)};
}

} // namespace sluice::vulkan
