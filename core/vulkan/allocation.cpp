// SPDX-License-Identifier: Apache-2.0
// Allocation of memory, and its binding to buffers.
#include "core/vulkan/allocation.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"

namespace sluice::vulkan {

namespace {

// Tensors never lie in these; AMD's two need a feature, and are slow.
constexpr VkMemoryPropertyFlags kNever =
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
    VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

} // namespace

std::optional<std::uint32_t> pick_type(const VkPhysicalDeviceMemoryProperties& memory,
                                       std::uint32_t allowed, const MemoryWishes& wishes) {
    for (const VkMemoryPropertyFlags wish : wishes) {
        for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
            const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
            if ((allowed >> i & 1U) != 0 && (flags & wish) == wish && (flags & kNever) == 0) {
                return i;
            }
        }
    }
    return std::nullopt;
}

Status check_size(const Device& device, std::size_t bytes) {
    if (bytes == 0) {
        return fail(ErrorCode::InvalidArgument, "a buffer on '{}' must have a size",
                    device.profile().name);
    }
    // Before vkCreateBuffer, which may not be asked for more than the address space.
    if (bytes > device.profile().max_allocation_bytes) {
        return fail(ErrorCode::OutOfMemory,
                    "{} bytes on '{}': one allocation holds at most {} bytes", bytes,
                    device.profile().name, device.profile().max_allocation_bytes);
    }
    return {};
}

Result<BufferHandle> create_buffer(const Device& device, std::size_t bytes,
                                   VkExternalMemoryHandleTypeFlags external) {
    const VkExternalMemoryBufferCreateInfo external_info{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = external,
    };
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = external != 0 ? &external_info : nullptr,
        .size = bytes,
        .usage = kBufferUsage,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
    };
    VkBuffer raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkCreateBuffer(device.handle(), &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateBuffer"));
    }
    return device.own<BufferHandle>(raw);
}

VkMemoryRequirements requirements_of(const Device& device, const BufferHandle& buffer) {
    VkMemoryRequirements requirements{};
    device.table().vkGetBufferMemoryRequirements(device.handle(), buffer.get(), &requirements);
    return requirements;
}

Result<MemoryHandle> allocate_memory(const Device& device, const VkMemoryAllocateInfo& info,
                                     std::string_view what) {
    const VkPhysicalDeviceMemoryProperties& memory = device.memory_properties();
    const VkDeviceSize heap =
        memory.memoryHeaps[memory.memoryTypes[info.memoryTypeIndex].heapIndex].size;
    if (info.allocationSize > heap || info.allocationSize > device.profile().max_allocation_bytes) {
        return fail(ErrorCode::OutOfMemory,
                    "{} on '{}': its heap has {} bytes and one allocation at most {}", what,
                    device.profile().name, heap, device.profile().max_allocation_bytes);
    }
    VkDeviceMemory raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkAllocateMemory(device.handle(), &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkAllocateMemory")
                                   .within(std::format("{} on '{}'", what, device.profile().name)));
    }
    return device.own<MemoryHandle>(raw);
}

Result<MemoryHandle> import_memory(const Device& device, const VkMemoryAllocateInfo& info,
                                   std::string_view what) {
    auto imported = allocate_memory(device, info, what);
    if (!imported) {
        return fail(ErrorCode::Unsupported, "{}", imported.error().message);
    }
    return imported;
}

Status bind_buffer_memory(const Device& device, const BufferHandle& buffer,
                          const MemoryHandle& memory) {
    if (const VkResult result =
            device.table().vkBindBufferMemory(device.handle(), buffer.get(), memory.get(), 0);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkBindBufferMemory"));
    }
    return {};
}

} // namespace sluice::vulkan
