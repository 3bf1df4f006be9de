// SPDX-License-Identifier: Apache-2.0
// Allocation, import and export of buffers.
#include "core/vulkan/memory.h"

#include <array>
#include <format>
#include <optional>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/checked_math.h"

namespace sluice::vulkan {

namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kMapped =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
// Tensors never lie in these; AMD's two need a feature, and are slow.
constexpr VkMemoryPropertyFlags kNever =
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
    VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

constexpr auto kDmaBuf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr std::size_t kPageBytes = 4096; // what dmabufs consist of

using Wishes = std::array<VkMemoryPropertyFlags, 3>; // the best first

// The first type among `allowed` that has all flags of the first wish that any has.
std::optional<std::uint32_t> pick_type(const VkPhysicalDeviceMemoryProperties& memory,
                                       std::uint32_t allowed, const Wishes& wishes) {
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

Wishes wishes_of(const Device& device, Placement placement) {
    switch (placement) {
    case Placement::Device:
        return device.profile().unified_memory
                   ? Wishes{kLocal | kMapped | kCached, kLocal | kMapped, kLocal}
                   : Wishes{kLocal, kLocal, 0};
    // Not the part of its own memory that a discrete GPU shows: often it is small.
    case Placement::Upload: return {kMapped, kMapped, kMapped};
    case Placement::Download: return {kMapped | kCached, kMapped, kMapped};
    }
    std::unreachable();
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

// `what` names the memory for the error: "allocating 12 bytes".
Result<MemoryHandle> allocate(const Device& device, const VkMemoryAllocateInfo& info,
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

Status bind_buffer_memory(const Device& device, const BufferHandle& buffer,
                          const MemoryHandle& memory) {
    if (const VkResult result =
            device.table().vkBindBufferMemory(device.handle(), buffer.get(), memory.get(), 0);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkBindBufferMemory"));
    }
    return {};
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
                      allocate(*device, info, std::format("allocating {} bytes", bytes)));
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    const VkMemoryPropertyFlags flags =
        device->memory_properties().memoryTypes[*type].propertyFlags;
    const bool wants_map = placement != Placement::Device || device->profile().unified_memory;
    if (wants_map && (flags & kMapped) == kMapped) {
        SLUICE_TRY(buffer.map(*device));
    }
    return buffer;
}

Result<Buffer> Buffer::import_host(const std::shared_ptr<Device>& device,
                                   std::span<std::byte> memory) {
    const DeviceProfile& profile = device->profile();
    if (!profile.import_host_pointer) {
        return fail(ErrorCode::Unsupported,
                    "'{}' cannot import host memory (no VK_EXT_external_memory_host)",
                    profile.name);
    }
    SLUICE_TRY(check_size(*device, memory.size()));
    const std::size_t alignment = profile.host_pointer_alignment;
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % alignment != 0 ||
        memory.size() % alignment != 0) {
        return fail(ErrorCode::Unsupported,
                    "host memory at {} of {} bytes is not aligned to {} bytes, which '{}' needs",
                    static_cast<const void*>(memory.data()), memory.size(), alignment,
                    profile.name);
    }
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
    auto imported =
        allocate(*device, info, std::format("importing {} bytes of the host", memory.size()));
    if (!imported) {
        return fail(ErrorCode::Unsupported, "{}", imported.error().message);
    }
    buffer.memory_ = std::move(*imported);
    SLUICE_TRY(bind_buffer_memory(*device, buffer.buffer_, buffer.memory_));
    buffer.mapped_ = memory;
    return buffer;
}

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
    auto imported = allocate(*device, info, std::format("importing a dmabuf of {} bytes", bytes));
    if (!imported) {
        return fail(ErrorCode::Unsupported, "{}", imported.error().message);
    }
    std::ignore = fd.release(); // the driver's now
    buffer.memory_ = std::move(*imported);
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
        allocate(*device, info, std::format("allocating a dmabuf of {} bytes", bytes)));
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
