// SPDX-License-Identifier: Apache-2.0
// Frames with memory identity: what is refused, and how they are compared.
#include "zero_copy/external_frame.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/result.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

namespace {

// The whole pages that hold `bytes`: what is mapped is mapped by pages.
std::span<std::byte> whole_pages(std::span<std::byte> bytes) {
    if (bytes.empty()) {
        return bytes;
    }
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    const std::size_t used = before + bytes.size();
    return {bytes.data() - before, used + ((page - (used % page)) % page)};
}

Result<FrameMemory> descriptor_memory(MemoryKind kind, int fd, std::span<std::byte> mapping,
                                      bool writable) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        return fail(ErrorCode::Io, "frame memory: file descriptor {}: {}", fd,
                    std::strerror(errno));
    }
    // A dmabuf's st_size is 0 on old kernels; seeking to its end always tells.
    const off_t size = kind == MemoryKind::DmaBuf ? ::lseek(fd, 0, SEEK_END) : status.st_size;
    if (size <= 0) {
        return fail(ErrorCode::Io, "frame memory: file descriptor {} is not that of a {}: {}", fd,
                    name(kind), size < 0 ? std::strerror(errno) : "it has no bytes");
    }
    const auto bytes = static_cast<std::size_t>(size);
    if (mapping.size() > bytes) {
        mapping = mapping.first(bytes);
    }
    return FrameMemory{.kind = kind,
                       .fd = fd,
                       .size_bytes = bytes,
                       .identity = {.device = status.st_dev, .inode = status.st_ino},
                       .mapping = mapping,
                       .surrounding = whole_pages(mapping),
                       .writable = writable};
}

Status check_memory(const FrameFormat& format, const FrameMemory& memory, std::size_t index,
                    std::uint64_t modifier) {
    const std::string_view format_name = info(format.pixel_format).gst_name;
    switch (memory.kind) {
    case MemoryKind::Host:
    case MemoryKind::Memfd:
        if (modifier != kLinearModifier) {
            return fail(ErrorCode::InvalidArgument,
                        "{} frame: memory {} is {}, which is linear, but the modifier is {:#x}",
                        format_name, index, name(memory.kind), modifier);
        }
        break;
    case MemoryKind::DmaBuf: break;
    case MemoryKind::VulkanImage:
        if (memory.vk_image == 0 || memory.vk_device == 0) {
            return fail(ErrorCode::InvalidArgument,
                        "{} frame: memory {} is a Vulkan image without image or device",
                        format_name, index);
        }
        return {};
    }
    const bool has_fd = memory.kind != MemoryKind::Host;
    if (has_fd && memory.fd < 0) {
        return fail(ErrorCode::InvalidArgument, "{} frame: memory {} is a {} without descriptor",
                    format_name, index, name(memory.kind));
    }
    if (!has_fd && memory.mapping.size() < memory.size_bytes) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: memory {} has {} bytes, of which the host sees {}", format_name,
                    index, memory.size_bytes, memory.mapping.size());
    }
    return {};
}

Status check_place(const FrameFormat& format, std::size_t index, const MemoryPlane& plane,
                   const FrameMemory& memory, bool linear) {
    const FormatInfo& layout = info(format.pixel_format);
    if (memory.kind == MemoryKind::VulkanImage) {
        if (plane.offset_bytes != 0 || plane.stride_bytes != 0) {
            return fail(ErrorCode::InvalidArgument,
                        "{} frame: plane {} is of a Vulkan image and has offset {} and stride {}; "
                        "only the image knows those",
                        layout.gst_name, index, plane.offset_bytes, plane.stride_bytes);
        }
        return {};
    }
    if (plane.offset_bytes >= memory.size_bytes) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: plane {} begins at byte {} of a memory of {} bytes", layout.gst_name,
                    index, plane.offset_bytes, memory.size_bytes);
    }
    if (!linear) {
        return {};
    }
    if (layout.bits > 8 && (plane.offset_bytes % 2 != 0 || plane.stride_bytes % 2 != 0 ||
                            reinterpret_cast<std::uintptr_t>(memory.mapping.data()) % 2 != 0)) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame: plane {} has an odd offset {} or stride {}, or an odd address; "
                    "samples of two bytes need even ones",
                    layout.gst_name, index, plane.offset_bytes, plane.stride_bytes);
    }
    return check_plane(format, index, plane.stride_bytes, memory.size_bytes - plane.offset_bytes);
}

Status check_plane_count(const FrameFormat& format, std::uint64_t modifier, std::size_t planes) {
    const FormatInfo& layout = info(format.pixel_format);
    if (modifier == kLinearModifier && planes != layout.planes) {
        return fail(ErrorCode::InvalidArgument, "{} frame: {} planes given, {} needed",
                    layout.gst_name, planes, layout.planes);
    }
    if (planes == 0 || planes > kMaxFrameMemories) {
        return fail(ErrorCode::InvalidArgument,
                    "{} frame with modifier {:#x}: {} planes given, 1 to {} are possible",
                    layout.gst_name, modifier, planes, kMaxFrameMemories);
    }
    return {};
}

std::size_t mix(std::size_t seed, std::uint64_t value) {
    return seed ^ (std::hash<std::uint64_t>{}(value) + 0x9E37'79B9'7F4A'7C15ULL + (seed << 6U) +
                   (seed >> 2U));
}

} // namespace

std::string_view name(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::Host: return "host memory";
    case MemoryKind::DmaBuf: return "dmabuf";
    case MemoryKind::Memfd: return "memfd";
    case MemoryKind::VulkanImage: return "Vulkan image";
    }
    return "";
}

FrameMemory host_memory(std::span<std::byte> bytes, std::uint64_t serial, bool writable) {
    return {.kind = MemoryKind::Host,
            .size_bytes = bytes.size(),
            .identity = {.device = 0, .inode = serial},
            .mapping = bytes,
            .surrounding = whole_pages(bytes),
            .writable = writable};
}

Result<FrameMemory> dma_buf_memory(int fd, std::span<std::byte> mapping, bool writable) {
    return descriptor_memory(MemoryKind::DmaBuf, fd, mapping, writable);
}

Result<FrameMemory> memfd_memory(int fd, std::span<std::byte> mapping, bool writable) {
    return descriptor_memory(MemoryKind::Memfd, fd, mapping, writable);
}

FrameMemory vulkan_image_memory(std::uint64_t vk_device, std::uint64_t vk_image,
                                std::uint32_t vk_format, std::uint32_t vk_layout,
                                std::uint32_t vk_usage, bool writable) {
    return {.kind = MemoryKind::VulkanImage,
            .writable = writable,
            .vk_image = vk_image,
            .vk_device = vk_device,
            .vk_format = vk_format,
            .vk_layout = vk_layout,
            .vk_usage = vk_usage};
}

Result<ExternalFrame> ExternalFrame::create(const FrameFormat& format, std::uint64_t modifier,
                                            std::span<const MemoryPlane> planes,
                                            std::span<const FrameMemory> memories) {
    SLUICE_TRY(check_format(format));
    SLUICE_TRY(check_plane_count(format, modifier, planes.size()));
    const std::string_view format_name = info(format.pixel_format).gst_name;
    if (memories.empty() || memories.size() > kMaxFrameMemories) {
        return fail(ErrorCode::InvalidArgument, "{} frame: {} memories given, 1 to {} are possible",
                    format_name, memories.size(), kMaxFrameMemories);
    }
    ExternalFrame frame;
    frame.format_ = format;
    frame.modifier_ = modifier;
    for (std::size_t i = 0; i < memories.size(); ++i) {
        SLUICE_TRY(check_memory(format, memories[i], i, modifier));
        if ((memories[i].kind == MemoryKind::VulkanImage) !=
            (memories[0].kind == MemoryKind::VulkanImage)) {
            return fail(
                ErrorCode::InvalidArgument,
                "{} frame: memory {} is {}, memory 0 is {}; a frame is of images or of none",
                format_name, i, name(memories[i].kind), name(memories[0].kind));
        }
        frame.memories_[frame.memory_count_++] = memories[i];
    }
    for (std::size_t i = 0; i < planes.size(); ++i) {
        if (planes[i].memory >= memories.size()) {
            return fail(ErrorCode::InvalidArgument, "{} frame: plane {} is of memory {} of {}",
                        format_name, i, planes[i].memory, memories.size());
        }
        SLUICE_TRY(check_place(format, i, planes[i], memories[planes[i].memory], frame.linear()));
        frame.planes_[frame.plane_count_++] = planes[i];
    }
    return frame;
}

Result<ExternalFrame> ExternalFrame::of(const MutableFrameView& view,
                                        std::span<const std::uint64_t> serials) {
    std::array<MemoryPlane, kMaxFrameMemories> planes;
    std::array<FrameMemory, kMaxFrameMemories> memories;
    const std::size_t count = info(view.format().pixel_format).planes;
    for (std::size_t i = 0; i < count; ++i) {
        const MutablePlane& plane = view.plane(i);
        memories[i] =
            host_memory({plane.data, plane.size_bytes}, i < serials.size() ? serials[i] : 0);
        planes[i] = {.memory = static_cast<std::uint8_t>(i),
                     .offset_bytes = 0,
                     .stride_bytes = plane.stride_bytes};
    }
    return create(view.format(), kLinearModifier, std::span(planes).first(count),
                  std::span(memories).first(count));
}

std::uint32_t ExternalFrame::drm_fourcc() const {
    return fourcc_code(info(format_.pixel_format));
}

bool ExternalFrame::writable() const {
    return std::ranges::all_of(memories(), &FrameMemory::writable);
}

template <typename Byte>
Result<BasicFrameView<Byte>> ExternalFrame::mapped() const {
    const std::string_view format_name = info(format_.pixel_format).gst_name;
    if (!linear()) {
        return fail(ErrorCode::Unsupported,
                    "{} frame: the host cannot read its layout (modifier {:#x})", format_name,
                    modifier_);
    }
    std::array<BasicPlane<Byte>, kMaxFrameMemories> planes{};
    for (std::size_t i = 0; i < plane_count_; ++i) {
        const FrameMemory& memory = memory_of(i);
        if (memory.mapping.size() <= planes_[i].offset_bytes) {
            return fail(ErrorCode::Unsupported,
                        "{} frame: plane {} lies in a {} that is not mapped", format_name, i,
                        name(memory.kind));
        }
        const std::span<std::byte> bytes = memory.mapping.subspan(planes_[i].offset_bytes);
        planes[i] = {bytes.data(), planes_[i].stride_bytes, bytes.size()};
    }
    return BasicFrameView<Byte>::create(format_, std::span(planes).first(plane_count_));
}

Result<FrameView> ExternalFrame::view() const {
    return mapped<const std::byte>();
}

Result<MutableFrameView> ExternalFrame::mutable_view() const {
    if (!writable()) {
        return fail(ErrorCode::Unsupported, "{} frame: its memory is read-only",
                    info(format_.pixel_format).gst_name);
    }
    return mapped<std::byte>();
}

bool operator==(const ExternalFrame& a, const ExternalFrame& b) {
    return a.format_ == b.format_ && a.modifier_ == b.modifier_ &&
           std::ranges::equal(a.planes(), b.planes()) &&
           std::ranges::equal(a.memories(), b.memories());
}

std::size_t ExternalFrame::hash() const {
    std::size_t seed = static_cast<std::size_t>(format_.pixel_format);
    for (const std::uint64_t value :
         {std::uint64_t{format_.width}, std::uint64_t{format_.height}, modifier_}) {
        seed = mix(seed, value);
    }
    for (const MemoryPlane& plane : planes()) {
        for (const std::uint64_t value :
             {std::uint64_t{plane.memory}, std::uint64_t{plane.offset_bytes},
              std::uint64_t{plane.stride_bytes}}) {
            seed = mix(seed, value);
        }
    }
    for (const FrameMemory& memory : memories()) {
        for (const std::uint64_t value :
             {memory.identity.device, memory.identity.inode, memory.vk_image}) {
            seed = mix(seed, value);
        }
    }
    return seed;
}

} // namespace sluice::zero_copy
