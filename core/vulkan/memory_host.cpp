// SPDX-License-Identifier: Apache-2.0
// Buffers over memory of the host.
#include <cstddef>
#include <cstdint>
#include <format>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/vulkan/allocation.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

namespace {

// Whether the device imports such memory at all.
Status check_host_memory(const Device& device, std::span<const std::byte> memory) {
    const DeviceProfile& profile = device.profile();
    if (!profile.import_host_pointer) {
        return fail(ErrorCode::Unsupported,
                    "'{}' cannot import host memory (no VK_EXT_external_memory_host)",
                    profile.name);
    }
    SLUICE_TRY(check_size(device, memory.size()));
    const std::size_t alignment = profile.host_pointer_alignment;
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % alignment != 0 ||
        memory.size() % alignment != 0) {
        return fail(ErrorCode::Unsupported,
                    "host memory at {} of {} bytes is not aligned to {} bytes, which '{}' needs",
                    static_cast<const void*>(memory.data()), memory.size(), alignment,
                    profile.name);
    }
    return {};
}

} // namespace

Result<Buffer> Buffer::import_host(const std::shared_ptr<Device>& device,
                                   std::span<std::byte> memory) {
    SLUICE_TRY(check_host_memory(*device, memory));
    const DeviceProfile& profile = device->profile();
    constexpr auto kHandle = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    Buffer buffer(*device, memory.size());
    SLUICE_TRY_ASSIGN(buffer.buffer_, create_buffer(*device, memory.size(), kHandle));
    const VkMemoryRequirements requirements = requirements_of(*device, buffer.buffer_);
    VkMemoryHostPointerPropertiesEXT pointer{
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
    };
    if (const VkResult result = device->table().vkGetMemoryHostPointerPropertiesEXT(
            device->handle(), kHandle, memory.data(), &pointer);
        result != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported, "'{}' refuses host memory at {} (VkResult {})",
                    profile.name, static_cast<const void*>(memory.data()),
                    static_cast<int>(result));
    }
    const auto type =
        pick_type(device->memory_properties(), requirements.memoryTypeBits & pointer.memoryTypeBits,
                  {kMapped | kCached, kMapped, kMapped});
    if (!type || requirements.size > memory.size()) {
        return fail(ErrorCode::Unsupported, "'{}' has no coherent memory type for host memory",
                    profile.name);
    }
    const VkImportMemoryHostPointerInfoEXT import{
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .handleType = kHandle,
        .pHostPointer = memory.data(),
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &import,
        .allocationSize = memory.size(),
        .memoryTypeIndex = *type,
    };
    SLUICE_TRY_ASSIGN(
        buffer.memory_,
        import_memory(*device, info, std::format("importing {} bytes of the host", memory.size())));
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    buffer.mapped_ = memory;
    return buffer;
}

} // namespace sluice::vulkan
