// SPDX-License-Identifier: Apache-2.0
// What an ImportedFrame owns on the device. Private to vulkan_import and imported_frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/vulkan/device.h"
#include "core/vulkan/handle.h"
#include "core/vulkan/memory.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/vulkan_image.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

struct ImportedFrame::Objects : vulkan::Retired {
    std::vector<std::shared_ptr<vulkan::Buffer>> buffers;
    std::vector<FrameImage> images;
    vulkan::SamplerHandle sampler;

    // Of somebody's images, plane by plane: what the device copies to `buffers`, and back.
    struct CopiedPlane {
        VkImage image = VK_NULL_HANDLE;
        VkImageLayout given_layout = VK_IMAGE_LAYOUT_GENERAL;
        VkImageAspectFlags aspect = VK_IMAGE_ASPECT_COLOR_BIT;
    };
    std::vector<CopiedPlane> copied;
    bool reads = true; // else the images are written whole, and only copied back to
};

// Texels of a plane's own image.
[[nodiscard]] inline std::uint32_t plane_columns(const FrameFormat& format, std::size_t plane) {
    const FormatInfo& layout = info(format.pixel_format);
    std::size_t step = 1;
    for (const Component& component : layout.components) {
        if (component.present && component.plane == plane) {
            step = std::max<std::size_t>(step, component.step_bytes);
        }
    }
    return static_cast<std::uint32_t>(row_bytes(layout, plane, format.width) / step);
}

// Of a plane whose rows follow each other without padding.
[[nodiscard]] inline std::size_t plane_bytes(const FrameFormat& format, std::size_t plane) {
    const FormatInfo& layout = info(format.pixel_format);
    return row_bytes(layout, plane, format.width) * plane_rows(layout, plane, format.height);
}

} // namespace sluice::zero_copy
