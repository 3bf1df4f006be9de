// SPDX-License-Identifier: Apache-2.0
// The calls that an import plan asks for, method by method.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "core/base/checked_math.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/import_state.h"
#include "zero_copy/imported_objects.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/vulkan_image.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

using vulkan::Buffer;
using vulkan::Device;

// The range of a plane's rows that a shader may bind.
Result<ImportedPlane> plane_in(const Device& device, const Buffer& buffer, std::size_t offset_bytes,
                               std::size_t stride_bytes, const FrameFormat& format,
                               std::size_t plane) {
    const FormatInfo& layout = info(format.pixel_format);
    const std::size_t alignment =
        std::max<std::size_t>(device.profile().storage_offset_alignment, sizeof(std::uint32_t));
    const std::size_t begin = offset_bytes / alignment * alignment;
    const std::size_t rows = plane_rows(layout, plane, format.height);
    const std::size_t end =
        offset_bytes + ((rows - 1) * stride_bytes) + row_bytes(layout, plane, format.width);
    const std::size_t words_end = align_up(end, sizeof(std::uint32_t));
    if (words_end > buffer.size_bytes()) {
        return fail(ErrorCode::Unsupported,
                    "{} frame: plane {} ends at byte {}, in the last incomplete word of {} bytes",
                    layout.gst_name, plane, end, buffer.size_bytes());
    }
    const auto base = checked_cast<std::uint32_t>(offset_bytes - begin);
    const auto stride = checked_cast<std::uint32_t>(stride_bytes);
    const auto bytes = checked_cast<std::uint32_t>(words_end - begin);
    if (!base || !stride || !bytes) {
        return fail(ErrorCode::Unsupported, "{} frame: plane {} is larger than 4 GiB",
                    layout.gst_name, plane);
    }
    return ImportedPlane{.range = {.buffer = buffer.get(), .offset = begin, .bytes = *bytes},
                         .base_bytes = *base,
                         .stride_bytes = *stride};
}

} // namespace

Result<std::shared_ptr<Buffer>>
VulkanImports::State::memory(const ExternalFrame& frame, std::size_t i, const ImportPlan& plan) {
    const FrameMemory& wanted = frame.memories()[i];
    std::erase_if(memories, [](const SharedMemory& known) { return known.buffer.expired(); });
    for (const SharedMemory& known : memories) {
        if (can_be_named(wanted) && known.memory == wanted) {
            if (std::shared_ptr<Buffer> buffer = known.buffer.lock()) {
                return buffer;
            }
        }
    }
    std::shared_ptr<Buffer> buffer;
    if (plan.method == ImportMethod::HostPointer) {
        SLUICE_TRY_ASSIGN(Buffer made, Buffer::import_host(device, plan.ranges[i].pages));
        buffer = std::make_shared<Buffer>(std::move(made));
    } else {
        const int copy = ::fcntl(wanted.fd, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            return fail(ErrorCode::Io, "{} {}: {}", name(wanted.kind), wanted.fd,
                        std::strerror(errno));
        }
        SLUICE_TRY_ASSIGN(Buffer made,
                          Buffer::import_dma_buf(device, UniqueFd(copy), wanted.size_bytes));
        buffer = std::make_shared<Buffer>(std::move(made));
    }
    memories.push_back({.memory = wanted, .buffer = buffer});
    return buffer;
}

Result<std::shared_ptr<ImportedFrame>>
VulkanImports::State::import_buffers(const ExternalFrame& frame, const ImportPlan& plan) {
    std::shared_ptr<ImportedFrame> out(new ImportedFrame(device, frame.format()));
    out->method_ = plan.method;
    std::vector<std::shared_ptr<Buffer>> of_memory;
    for (std::size_t i = 0; i < frame.memories().size(); ++i) {
        SLUICE_TRY_ASSIGN(std::shared_ptr<Buffer> buffer, memory(frame, i, plan));
        of_memory.push_back(buffer);
        // Two memories may be one under two descriptors; it is taken over once.
        if (std::ranges::find(out->objects_->buffers, buffer) == out->objects_->buffers.end()) {
            out->objects_->buffers.push_back(std::move(buffer));
        }
    }
    for (std::size_t i = 0; i < frame.planes().size(); ++i) {
        const MemoryPlane& plane = frame.planes()[i];
        const std::size_t inside = plan.ranges[plane.memory].offset_bytes;
        SLUICE_TRY_ASSIGN(const ImportedPlane imported,
                          plane_in(*device, *of_memory[plane.memory], plane.offset_bytes + inside,
                                   plane.stride_bytes, frame.format(), i));
        out->planes_.push_back(imported);
    }
    return out;
}

Result<std::shared_ptr<ImportedFrame>>
VulkanImports::State::import_images(const ExternalFrame& frame, const ImportPlan& plan) {
    std::shared_ptr<ImportedFrame> out(new ImportedFrame(device, frame.format()));
    out->method_ = plan.method;
    SLUICE_TRY_ASSIGN(out->objects_->sampler, texel_sampler(*device));
    for (std::size_t i = 0; i < plan.image_count; ++i) {
        SLUICE_TRY_ASSIGN(FrameImage image, FrameImage::import(*device, frame, plan, i));
        for (std::size_t view = 0; view < image.view_count(); ++view) {
            out->textures_.push_back({.image = image.image(),
                                      .view = image.view(view),
                                      .sampler = out->objects_->sampler.get(),
                                      .layout = image.layout(),
                                      .access = vulkan::Access::Read});
        }
        out->objects_->images.push_back(std::move(image));
    }
    return out;
}

// One frame is worked on at a time, so that frames of a format share the buffers.
Result<std::shared_ptr<ImportedFrame>>
VulkanImports::State::import_by_copy(const ExternalFrame& frame, const ImportPlan& plan,
                                     bool read) {
    std::shared_ptr<ImportedFrame> out(new ImportedFrame(device, frame.format()));
    out->method_ = plan.method;
    out->objects_->reads = read;
    for (std::size_t i = 0; i < plan.image_count; ++i) {
        const FrameMemory& memory = frame.memories()[i];
        const ImportPlan::Image& image = plan.images[i];
        for (std::size_t k = 0; k < (image.whole_frame ? image.plane_count : 1U); ++k) {
            out->objects_->copied.push_back(
                // NOLINTNEXTLINE(performance-no-int-to-ptr): a handle of Vulkan's, kept as a number
                {.image = reinterpret_cast<VkImage>(memory.vk_image),
                 .given_layout = static_cast<VkImageLayout>(memory.vk_layout),
                 .aspect = image.whole_frame ? plane_aspect(k)
                                             : VkImageAspectFlags{VK_IMAGE_ASPECT_COLOR_BIT}});
        }
    }
    const auto alike = std::ranges::find_if(entries, [&](const Entry& entry) {
        return entry.imported->copies_on_device() && entry.imported->format() == frame.format();
    });
    if (alike != entries.end()) {
        out->objects_->buffers = alike->imported->objects_->buffers;
        out->planes_ = alike->imported->planes_;
        return out;
    }
    const FormatInfo& layout = info(frame.format().pixel_format);
    for (std::size_t i = 0; i < layout.planes; ++i) {
        const std::size_t bytes = align_up(plane_bytes(frame.format(), i), sizeof(std::uint32_t));
        SLUICE_TRY_ASSIGN(Buffer buffer, Buffer::create(device, bytes, vulkan::Placement::Device));
        out->objects_->buffers.push_back(std::make_shared<Buffer>(std::move(buffer)));
        SLUICE_TRY_ASSIGN(const ImportedPlane plane,
                          plane_in(*device, *out->objects_->buffers[i], 0,
                                   row_bytes(layout, i, frame.format().width), frame.format(), i));
        out->planes_.push_back(plane);
    }
    return out;
}

Result<std::shared_ptr<ImportedFrame>>
VulkanImports::State::staging(const ExternalFrame& frame, const ImportPlan& plan, bool write) {
    if (!said_upload) {
        said_upload = true;
        log::warning("import", "'{}' copies {} frames, {} bytes each: {}", device->profile().name,
                     info(frame.format().pixel_format).gst_name, plan.upload_bytes,
                     describe(plan.refusals));
    }
    for (const Entry& entry : uploads) {
        if (entry.imported->format() == frame.format() && entry.write == write) {
            return entry.imported;
        }
    }
    std::shared_ptr<ImportedFrame> out(new ImportedFrame(device, frame.format()));
    out->method_ = ImportMethod::Upload;
    const FormatInfo& layout = info(frame.format().pixel_format);
    for (std::size_t i = 0; i < layout.planes; ++i) {
        const std::size_t bytes = align_up(plane_bytes(frame.format(), i), sizeof(std::uint32_t));
        SLUICE_TRY_ASSIGN(Buffer buffer, Buffer::create(device, bytes,
                                                        write ? vulkan::Placement::Download
                                                              : vulkan::Placement::Upload));
        out->objects_->buffers.push_back(std::make_shared<Buffer>(std::move(buffer)));
        SLUICE_TRY_ASSIGN(const ImportedPlane plane,
                          plane_in(*device, *out->objects_->buffers[i], 0,
                                   row_bytes(layout, i, frame.format().width), frame.format(), i));
        out->planes_.push_back(plane);
    }
    uploads.push_back({.frame = frame, .write = write, .imported = out, .used = 0});
    return out;
}

Result<std::shared_ptr<ImportedFrame>>
VulkanImports::State::import(const ExternalFrame& frame, const ImportPlan& plan, bool read) {
    if (plan.copy_on_device) {
        return import_by_copy(frame, plan, read);
    }
    switch (plan.method) {
    case ImportMethod::SharedImage:
    case ImportMethod::ModifierImage: return import_images(frame, plan);
    case ImportMethod::LinearBuffer:
    case ImportMethod::HostPointer: return import_buffers(frame, plan);
    case ImportMethod::Mapped:
    case ImportMethod::Upload: break;
    }
    return fail(ErrorCode::Internal, "{} is no import", name(plan.method));
}

} // namespace sluice::zero_copy
