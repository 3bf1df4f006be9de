// SPDX-License-Identifier: Apache-2.0
// Buffers: device memory with a VkBuffer over all of it, made here or imported from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/device.h"

namespace sluice::vulkan {

// What every buffer is created for.
inline constexpr VkBufferUsageFlags kBufferUsage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                                   VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                                   VK_BUFFER_USAGE_TRANSFER_DST_BIT;

enum class Placement : std::uint8_t {
    Device,   // fastest for the device; mapped where device memory is host-visible and coherent
    Upload,   // host writes, device reads once; mapped, coherent
    Download, // device writes, host reads; mapped, coherent, cached where there is such a type
};

// Owns memory and buffer. Not copied, may be moved. Given up while in use: move it into a Retired.
class Buffer {
public:
    Buffer() = default;

    // Usable as storage buffer, transfer source and destination. OutOfMemory names size and device.
    [[nodiscard]] static Result<Buffer> create(const std::shared_ptr<Device>& device,
                                               std::size_t bytes, Placement placement);
    // `memory` .. + bytes, both multiples of profile().host_pointer_alignment, becomes a buffer
    // without a copy; the caller keeps the memory mapped as long as the buffer lives. Unsupported
    // where the device cannot (no extension, misaligned, refused by the driver).
    [[nodiscard]] static Result<Buffer> import_host(const std::shared_ptr<Device>& device,
                                                    std::span<std::byte> memory);
    // A dmabuf (consumed; pass a dup) of `bytes` bytes as a linear buffer, whole.
    [[nodiscard]] static Result<Buffer> import_dma_buf(const std::shared_ptr<Device>& device,
                                                       UniqueFd fd, std::size_t bytes);
    // Memory that can be exported as a dmabuf, and the fd. Not mapped: the host maps the fd.
    struct Exported;
    [[nodiscard]] static Result<Exported> create_exported(const std::shared_ptr<Device>& device,
                                                          std::size_t bytes);

    [[nodiscard]] VkBuffer get() const { return buffer_.get(); }
    [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
    // Empty where the host does not see this memory.
    [[nodiscard]] std::span<std::byte> mapped() const { return mapped_; }
    explicit operator bool() const { return static_cast<bool>(buffer_); }

private:
    Buffer(const Device& device, std::size_t bytes);
    [[nodiscard]] Status map(const Device& device);

    std::shared_ptr<const void> lifeline_; // of the device; first: destroyed last
    MemoryHandle memory_;
    BufferHandle buffer_;
    std::size_t bytes_ = 0;
    std::span<std::byte> mapped_;
};

struct Buffer::Exported {
    Buffer buffer;
    UniqueFd fd;
};

// Part of a buffer. `offset` is a multiple of profile().storage_offset_alignment.
struct BufferRange {
    VkBuffer buffer = VK_NULL_HANDLE;
    std::size_t offset = 0;
    std::size_t bytes = 0;

    friend bool operator==(const BufferRange&, const BufferRange&) = default;
};
[[nodiscard]] inline BufferRange whole(const Buffer& buffer) {
    return {.buffer = buffer.get(), .offset = 0, .bytes = buffer.size_bytes()};
}

} // namespace sluice::vulkan
