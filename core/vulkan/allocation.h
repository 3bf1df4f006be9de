// SPDX-License-Identifier: Apache-2.0
// What every way to a Buffer's memory consists of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/vulkan/api.h"
#include "core/vulkan/device.h"
#include "core/vulkan/handle.h"

namespace sluice::vulkan {

inline constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
inline constexpr VkMemoryPropertyFlags kMapped =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
inline constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
using MemoryWishes = std::array<VkMemoryPropertyFlags, 3>; // the best first

// The first type among `allowed` that has all flags of the first wish that any has.
[[nodiscard]] std::optional<std::uint32_t> pick_type(const VkPhysicalDeviceMemoryProperties& memory,
                                                     std::uint32_t allowed,
                                                     const MemoryWishes& wishes);
// InvalidArgument, OutOfMemory: for what no buffer of the device can be.
[[nodiscard]] Status check_size(const Device& device, std::size_t bytes);
// A buffer without memory, for memory of these `external` kinds; 0 for the device's own.
[[nodiscard]] Result<BufferHandle> create_buffer(const Device& device, std::size_t bytes,
                                                 VkExternalMemoryHandleTypeFlags external);
[[nodiscard]] VkMemoryRequirements requirements_of(const Device& device,
                                                   const BufferHandle& buffer);
// `what` names the memory for the error: "allocating 12 bytes".
[[nodiscard]] Result<MemoryHandle>
allocate_memory(const Device& device, const VkMemoryAllocateInfo& info, std::string_view what);
// The same of memory that is there already: Unsupported whatever the reason, so that callers copy.
[[nodiscard]] Result<MemoryHandle>
import_memory(const Device& device, const VkMemoryAllocateInfo& info, std::string_view what);
[[nodiscard]] Status bind_buffer_memory(const Device& device, const BufferHandle& buffer,
                                        const MemoryHandle& memory);

} // namespace sluice::vulkan
