// SPDX-License-Identifier: Apache-2.0
// What an ImportedFrame owns on the device. Private to vulkan_import and imported_frame.
#pragma once

#include <cstddef>
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
};

// Of a plane whose rows follow each other without padding.
[[nodiscard]] inline std::size_t plane_bytes(const FrameFormat& format, std::size_t plane) {
    const FormatInfo& layout = info(format.pixel_format);
    return row_bytes(layout, plane, format.width) * plane_rows(layout, plane, format.height);
}

} // namespace sluice::zero_copy
