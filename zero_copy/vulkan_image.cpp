// SPDX-License-Identifier: Apache-2.0
// Images over dmabufs with VK_EXT_image_drm_format_modifier.
#include "zero_copy/vulkan_image.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include <fcntl.h>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/device.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

constexpr auto kDmaBuf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;

// Turns what a format calls blue, green, red back into bytes in their order.
VkComponentMapping byte_order(std::uint32_t vk_format) {
    if (vk_format == VK_FORMAT_B8G8R8A8_UNORM || vk_format == VK_FORMAT_B8G8R8_UNORM) {
        return {.r = VK_COMPONENT_SWIZZLE_B,
                .g = VK_COMPONENT_SWIZZLE_G,
                .b = VK_COMPONENT_SWIZZLE_R,
                .a = VK_COMPONENT_SWIZZLE_IDENTITY};
    }
    return {};
}

} // namespace

Status FrameImage::create(const vulkan::Device& device, const ExternalFrame& frame,
                          const ImportPlan::Image& image) {
    std::array<VkSubresourceLayout, kMaxFrameMemories> planes{};
    for (std::size_t i = 0; i < image.plane_count; ++i) {
        const MemoryPlane& plane = frame.planes()[image.first_plane + i];
        planes[i] = {.offset = plane.offset_bytes, .rowPitch = plane.stride_bytes};
    }
    const VkImageDrmFormatModifierExplicitCreateInfoEXT layout{
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
        .drmFormatModifier = frame.modifier(),
        .drmFormatModifierPlaneCount = image.plane_count,
        .pPlaneLayouts = planes.data(),
    };
    const VkExternalMemoryImageCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .pNext = &layout,
        .handleTypes = kDmaBuf,
    };
    const FrameFormat& format = frame.format();
    const VkImageCreateInfo create_info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .pNext = &external,
        // Planes are viewed with formats of their own.
        .flags = image.whole_frame ? VkImageCreateFlags{VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT} : 0U,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = static_cast<VkFormat>(image.vk_format),
        .extent = {.width = image.whole_frame ? format.width : image.width,
                   .height = image.whole_frame ? format.height : image.height,
                   .depth = 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .usage = VK_IMAGE_USAGE_SAMPLED_BIT,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
    };
    VkImage raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkCreateImage(device.handle(), &create_info, nullptr, &raw);
        result != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported, "the driver refuses an image with {} (VkResult {})",
                    modifier_name(frame.modifier()), static_cast<int>(result));
    }
    image_ = device.own<vulkan::ImageHandle>(raw);
    return {};
}

Status FrameImage::bind(const vulkan::Device& device, const ExternalFrame& frame,
                        const ImportPlan::Image& image) {
    const FrameMemory& memory = frame.memory_of(image.first_plane);
    VkMemoryRequirements requirements{};
    device.table().vkGetImageMemoryRequirements(device.handle(), image_.get(), &requirements);
    if (requirements.size > memory.size_bytes) {
        return fail(ErrorCode::Unsupported, "the driver would read {} bytes of a dmabuf of {}",
                    requirements.size, memory.size_bytes);
    }
    UniqueFd fd(::fcntl(memory.fd, F_DUPFD_CLOEXEC, 0));
    if (!fd) {
        return fail(ErrorCode::Io, "dmabuf {}: {}", memory.fd, std::strerror(errno));
    }
    VkMemoryFdPropertiesKHR properties{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    if (device.table().vkGetMemoryFdPropertiesKHR(device.handle(), kDmaBuf, fd.get(),
                                                  &properties) != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported, "the driver refuses dmabuf {}", memory.fd);
    }
    const std::uint32_t types = requirements.memoryTypeBits & properties.memoryTypeBits;
    if (types == 0) {
        return fail(ErrorCode::Unsupported, "no memory type is both dmabuf {}'s and the image's",
                    memory.fd);
    }
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .image = image_.get(),
    };
    const VkImportMemoryFdInfoKHR import{
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .pNext = &dedicated,
        .handleType = kDmaBuf,
        .fd = fd.get(),
    };
    const VkMemoryAllocateInfo allocate{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &import,
        .allocationSize = requirements.size,
        .memoryTypeIndex = static_cast<std::uint32_t>(std::countr_zero(types)),
    };
    VkDeviceMemory raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkAllocateMemory(device.handle(), &allocate, nullptr, &raw);
        result != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported, "the driver refuses to import dmabuf {} (VkResult {})",
                    memory.fd, static_cast<int>(result));
    }
    std::ignore = fd.release(); // the driver's now
    memory_ = device.own<vulkan::MemoryHandle>(raw);
    if (const VkResult result =
            device.table().vkBindImageMemory(device.handle(), image_.get(), memory_.get(), 0);
        result != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported, "vkBindImageMemory fails with {}",
                    static_cast<int>(result));
    }
    return {};
}

Status FrameImage::create_views(const vulkan::Device& device, const ExternalFrame& frame,
                                const ImportPlan::Image& image) {
    const FormatInfo& layout = info(frame.format().pixel_format);
    view_count_ = image.whole_frame ? layout.planes : 1;
    for (std::size_t i = 0; i < view_count_; ++i) {
        const std::uint32_t vk_format =
            image.whole_frame ? layout.vk_plane_formats[i] : image.vk_format;
        const VkImageViewCreateInfo create_info{
            .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
            .image = this->image(),
            .viewType = VK_IMAGE_VIEW_TYPE_2D,
            .format = static_cast<VkFormat>(vk_format),
            .components = byte_order(vk_format),
            .subresourceRange = {.aspectMask = image.whole_frame
                                                   ? plane_aspect(i)
                                                   : VkImageAspectFlags{VK_IMAGE_ASPECT_COLOR_BIT},
                                 .levelCount = 1,
                                 .layerCount = 1},
        };
        VkImageView raw = VK_NULL_HANDLE;
        if (const VkResult result =
                device.table().vkCreateImageView(device.handle(), &create_info, nullptr, &raw);
            result != VK_SUCCESS) {
            return fail(ErrorCode::Unsupported, "vkCreateImageView fails with {}",
                        static_cast<int>(result));
        }
        views_[i] = device.own<vulkan::ImageViewHandle>(raw);
    }
    return {};
}

Result<FrameImage> FrameImage::import(const vulkan::Device& device, const ExternalFrame& frame,
                                      const ImportPlan& plan, std::size_t i) {
    const ImportPlan::Image& image = plan.images[i];
    FrameImage out;
    if (plan.method == ImportMethod::SharedImage) {
        const FrameMemory& memory = frame.memories()[i];
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a handle of Vulkan's, kept as a number
        out.borrowed_ = reinterpret_cast<VkImage>(memory.vk_image);
        out.given_layout_ = static_cast<VkImageLayout>(memory.vk_layout);
        out.layout_ = static_cast<VkImageLayout>(layout_when_read(memory.vk_layout));
    } else {
        SLUICE_TRY(out.create(device, frame, image));
        SLUICE_TRY(out.bind(device, frame, image));
    }
    SLUICE_TRY(out.create_views(device, frame, image));
    return out;
}

std::uint32_t layout_when_read(std::uint32_t vk_layout) {
    return vk_layout == VK_IMAGE_LAYOUT_GENERAL ? VK_IMAGE_LAYOUT_GENERAL
                                                : VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
}

Result<vulkan::SamplerHandle> texel_sampler(const vulkan::Device& device) {
    const VkSamplerCreateInfo create_info{
        .sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
        .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
        .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
        .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
    };
    VkSampler raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkCreateSampler(device.handle(), &create_info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan::vulkan_error(result, "vkCreateSampler"));
    }
    return device.own<vulkan::SamplerHandle>(raw);
}

} // namespace sluice::zero_copy
