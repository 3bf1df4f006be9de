// SPDX-License-Identifier: Apache-2.0
// Buffers of the device's own memory.
#include "core/vulkan/memory.h"

#include <cstddef>
#include <expected>
#include <format>
#include <memory>
#include <utility>

#include "core/base/result.h"
#include "core/vulkan/allocation.h"
#include "core/vulkan/device.h"

namespace sluice::vulkan {

namespace {

MemoryWishes wishes_of(const Device& device, Placement placement) {
    switch (placement) {
    case Placement::Device:
        return device.profile().unified_memory
                   ? MemoryWishes{kLocal | kMapped | kCached, kLocal | kMapped, kLocal}
                   : MemoryWishes{kLocal, kLocal, 0};
    // Not the part of its own memory that a discrete GPU shows: often it is small.
    case Placement::Upload: return {kMapped, kMapped, kMapped};
    case Placement::Download: return {kMapped | kCached, kMapped, kMapped};
    }
    std::unreachable();
}

} // namespace

Buffer::Buffer(const Device& device, std::size_t bytes)
    : lifeline_(device.lifeline()), bytes_(bytes) {}

Status Buffer::map(const Device& device) {
    void* address = nullptr;
    if (const VkResult result = device.table().vkMapMemory(device.handle(), memory_.get(), 0,
                                                           VK_WHOLE_SIZE, 0, &address);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkMapMemory"));
    }
    mapped_ = {static_cast<std::byte*>(address), bytes_};
    return {};
}

Result<Buffer> Buffer::create(const std::shared_ptr<Device>& device, std::size_t bytes,
                              Placement placement) {
    SLUICE_TRY(check_size(*device, bytes));
    Buffer buffer(*device, bytes);
    SLUICE_TRY_ASSIGN(buffer.buffer_, create_buffer(*device, bytes, 0));
    const VkMemoryRequirements requirements = requirements_of(*device, buffer.buffer_);
    const auto type = pick_type(device->memory_properties(), requirements.memoryTypeBits,
                                wishes_of(*device, placement));
    if (!type) {
        return fail(ErrorCode::Unsupported, "'{}' has no memory type for a buffer",
                    device->profile().name);
    }
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = requirements.size,
        .memoryTypeIndex = *type,
    };
    SLUICE_TRY_ASSIGN(buffer.memory_,
                      allocate_memory(*device, info, std::format("allocating {} bytes", bytes)));
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    const VkMemoryPropertyFlags flags =
        device->memory_properties().memoryTypes[*type].propertyFlags;
    const bool wants_map = placement != Placement::Device || device->profile().unified_memory;
    if (wants_map && (flags & kMapped) == kMapped) {
        SLUICE_TRY(buffer.map(*device));
    }
    return buffer;
}

} // namespace sluice::vulkan
