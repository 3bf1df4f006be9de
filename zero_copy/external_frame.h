// SPDX-License-Identifier: Apache-2.0
// ExternalFrame: somebody else's video frame together with the identity of the memory it lies in.
//
// A FrameView says where the host sees a frame; an ExternalFrame says what the frame *is*: file
// descriptors, DRM modifier, offsets and strides, so that a device can read it where it lies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "zero_copy/frame.h"

namespace sluice::zero_copy {

// drm_fourcc.h's DRM_FORMAT_MOD_LINEAR, and DRM_FORMAT_MOD_INVALID: the driver chose a layout and
// told nobody.
inline constexpr std::uint64_t kLinearModifier = 0;
inline constexpr std::uint64_t kImplicitModifier = 0x00FF'FFFF'FFFF'FFFFULL;
inline constexpr std::size_t kMaxFrameMemories = 4;

enum class MemoryKind : std::uint8_t {
    Host,        // plain memory of this process
    DmaBuf,      // a dma_buf's file descriptor
    Memfd,       // a file descriptor of shared memory (memfd_create, shm_open)
    VulkanImage, // an image of somebody's VkDevice
};
[[nodiscard]] std::string_view name(MemoryKind kind);

// Which memory it is, whatever the number of the descriptor: two descriptors of one dmabuf have one
// identity. Host memory has device 0 and the caller's serial; 0, 0 is memory that nobody can name.
struct MemoryIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    friend bool operator==(const MemoryIdentity&, const MemoryIdentity&) = default;
};

// One piece of memory that a frame's planes lie in. Everything is borrowed: the caller keeps the
// descriptor open, the mapping mapped and the image alive while a frame that names them is used.
struct FrameMemory {
    MemoryKind kind = MemoryKind::Host;
    int fd = -1; // DmaBuf, Memfd
    std::size_t size_bytes = 0;
    MemoryIdentity identity;
    // The memory from its first byte on, where the host sees it; else empty. The host may read and,
    // if `writable`, write it. A dmabuf's also needs DmaBufAccess around every use.
    std::span<std::byte> mapping;
    // What is mapped around `mapping` and may be bound with it when a device wants whole pages.
    std::span<std::byte> surrounding;
    bool writable = true;
    // VulkanImage: the handles' bits, the image's VkFormat, the VkImageLayout that it is in, and
    // the VkImageUsageFlags that it was made with.
    std::uint64_t vk_image = 0;
    std::uint64_t vk_device = 0;
    std::uint32_t vk_format = 0;
    std::uint32_t vk_layout = 0;
    std::uint32_t vk_usage = 0;

    // By kind, identity and size; plain memory also by its address, images by the layout that they
    // are in. Not by descriptor number, or where a descriptor's memory is mapped.
    friend bool operator==(const FrameMemory& a, const FrameMemory& b) {
        return a.kind == b.kind && a.identity == b.identity && a.size_bytes == b.size_bytes &&
               a.vk_image == b.vk_image && a.vk_device == b.vk_device &&
               a.vk_layout == b.vk_layout &&
               (a.kind != MemoryKind::Host || a.mapping.data() == b.mapping.data());
    }
};

// Plain memory. `serial` is a number that the caller gives to this allocation and to no other, ever
// (an address is none: the next allocation may have it); imports are kept under it. 0: an import
// lasts for one frame.
[[nodiscard]] FrameMemory host_memory(std::span<std::byte> bytes, std::uint64_t serial,
                                      bool writable = true);
// A dmabuf, or shared memory. Size and identity are asked of the descriptor. `mapping` (from byte 0
// on) is the host's, where there is one. Io if the descriptor is not open or not of such memory.
[[nodiscard]] Result<FrameMemory> dma_buf_memory(int fd, std::span<std::byte> mapping = {},
                                                 bool writable = true);
[[nodiscard]] Result<FrameMemory> memfd_memory(int fd, std::span<std::byte> mapping = {},
                                               bool writable = true);
// An image of `vk_device` (VkDevice and VkImage as integers) in layout `vk_layout`, made for
// `vk_usage`. Its identity is the caller's to give, as handles come again.
[[nodiscard]] FrameMemory vulkan_image_memory(std::uint64_t vk_device, std::uint64_t vk_image,
                                              std::uint32_t vk_format, std::uint32_t vk_layout,
                                              std::uint32_t vk_usage, bool writable = true);

// A plane of memory: of the format if the modifier is linear; of the modifier otherwise, which may
// have more of them (compression data) or fewer than the format.
struct MemoryPlane {
    std::uint8_t memory = 0; // index into the frame's memories
    std::size_t offset_bytes = 0;
    std::size_t stride_bytes = 0;

    friend bool operator==(const MemoryPlane&, const MemoryPlane&) = default;
};

// Valid by construction: a linear frame's rows all lie within its memories; what a tiled frame's
// modifier says can only be checked by the driver that knows it, but every plane begins inside its
// memory. Copying copies descriptions only.
class ExternalFrame {
public:
    // InvalidArgument names the plane, the offset, size or stride it has and the one it needs.
    // Host memory and memfds are linear. Images of Vulkan have no offsets and strides (0), and
    // either one memory for all planes or one for each.
    [[nodiscard]] static Result<ExternalFrame> create(const FrameFormat& format,
                                                      std::uint64_t modifier,
                                                      std::span<const MemoryPlane> planes,
                                                      std::span<const FrameMemory> memories);
    // Planes that the host sees, as a frame; each plane is a memory of its own. `serials`: one a
    // plane, or none (see host_memory()).
    [[nodiscard]] static Result<ExternalFrame> of(const MutableFrameView& view,
                                                  std::span<const std::uint64_t> serials = {});

    [[nodiscard]] const FrameFormat& format() const { return format_; }
    [[nodiscard]] std::uint32_t drm_fourcc() const;
    [[nodiscard]] std::uint64_t modifier() const { return modifier_; }
    [[nodiscard]] bool linear() const { return modifier_ == kLinearModifier; }
    [[nodiscard]] std::span<const MemoryPlane> planes() const {
        return std::span(planes_).first(plane_count_);
    }
    [[nodiscard]] std::span<const FrameMemory> memories() const {
        return std::span(memories_).first(memory_count_);
    }
    [[nodiscard]] const FrameMemory& memory_of(std::size_t plane) const {
        return memories_[planes_[plane].memory];
    }
    [[nodiscard]] bool writable() const;

    // The frame as the host sees it. Unsupported says why it does not: tiled, or not mapped, or for
    // mutable_view() not writable.
    [[nodiscard]] Result<FrameView> view() const;
    [[nodiscard]] Result<MutableFrameView> mutable_view() const;

    // The same pixels of the same memory, laid out the same way.
    friend bool operator==(const ExternalFrame& a, const ExternalFrame& b);
    [[nodiscard]] std::size_t hash() const;

private:
    ExternalFrame() = default;
    template <typename Byte>
    [[nodiscard]] Result<BasicFrameView<Byte>> mapped() const;

    FrameFormat format_;
    std::uint64_t modifier_ = kLinearModifier;
    std::array<MemoryPlane, kMaxFrameMemories> planes_{};
    std::array<FrameMemory, kMaxFrameMemories> memories_{};
    std::size_t plane_count_ = 0;
    std::size_t memory_count_ = 0;
};

} // namespace sluice::zero_copy

template <>
struct std::hash<sluice::zero_copy::ExternalFrame> {
    std::size_t operator()(const sluice::zero_copy::ExternalFrame& frame) const {
        return frame.hash();
    }
};
