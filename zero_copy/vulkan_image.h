// SPDX-License-Identifier: Apache-2.0
// FrameImage: dmabuf memory, or somebody's image, as a VkImage with a view of each plane that it
// holds. Private to vulkan_import.
#pragma once

#include <array>
#include <cstddef>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/handle.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"

namespace sluice::zero_copy {

class FrameImage {
public:
    // Image `i` of the plan: of a dmabuf with its modifier, or one that exists. Unsupported where
    // the driver refuses, or would read past the memory.
    [[nodiscard]] static Result<FrameImage> import(const vulkan::Device& device,
                                                   const ExternalFrame& frame,
                                                   const ImportPlan& plan, std::size_t i);

    [[nodiscard]] VkImage image() const { return borrowed_ ? borrowed_ : image_.get(); }
    [[nodiscard]] VkImageLayout layout() const { return layout_; } // while it is sampled
    [[nodiscard]] VkImageLayout given_layout() const { return given_layout_; }
    [[nodiscard]] std::size_t view_count() const { return view_count_; }
    // Texels as they lie: the first component is the first byte.
    [[nodiscard]] VkImageView view(std::size_t i) const { return views_[i].get(); }

private:
    [[nodiscard]] Status create(const vulkan::Device& device, const ExternalFrame& frame,
                                const ImportPlan::Image& image);
    [[nodiscard]] Status bind(const vulkan::Device& device, const ExternalFrame& frame,
                              const ImportPlan::Image& image);
    [[nodiscard]] Status create_views(const vulkan::Device& device, const ExternalFrame& frame,
                                      const ImportPlan::Image& image);

    vulkan::MemoryHandle memory_; // before the image: freed after it
    vulkan::ImageHandle image_;
    VkImage borrowed_ = VK_NULL_HANDLE;
    VkImageLayout layout_ = VK_IMAGE_LAYOUT_GENERAL;
    VkImageLayout given_layout_ = VK_IMAGE_LAYOUT_GENERAL; // in which somebody's image comes
    std::array<vulkan::ImageViewHandle, 3> views_;
    std::size_t view_count_ = 0;
};

// Of an image that holds all planes of a frame.
[[nodiscard]] constexpr VkImageAspectFlags plane_aspect(std::size_t plane) {
    return static_cast<VkImageAspectFlags>(VK_IMAGE_ASPECT_PLANE_0_BIT) << plane;
}

// Shaders fetch texels; nothing is filtered.
[[nodiscard]] Result<vulkan::SamplerHandle> texel_sampler(const vulkan::Device& device);

} // namespace sluice::zero_copy
