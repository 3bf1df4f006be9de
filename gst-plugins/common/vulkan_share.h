// SPDX-License-Identifier: Apache-2.0
// What libgstvulkan shares: its VkDevice, for the engine to run on, and images that lie there.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <gst/base/gstbasetransform.h>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "gst-plugins/common/ref.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/sync.h"

namespace sluice::gst {

// A "gst.vulkan.device", its "gst.vulkan.instance" and a "gst.vulkan.queue", which brings the lock
// for itself, as neighbours in a pipeline share them; and the engine's device on them.
//
// GStreamer 1.26 creates devices with every feature of Vulkan 1.1 to 1.3 that there is, and with
// hardly any extension: on one that somebody else has made, nothing is imported but images of its
// own.
class VulkanShare {
public:
    // That of the neighbours or of the application; where nobody has one yet, it is made, as in
    // GStreamer whoever starts first does. Null where upstream gives no images, or where `selector`
    // names another device. Unsupported says what is missing on it.
    [[nodiscard]] static Result<std::unique_ptr<VulkanShare>> find(GstBaseTransform* element,
                                                                   std::string_view selector);

    [[nodiscard]] const vulkan::Device& device() const { return *device_; }
    // Whether it was a query for one of the three contexts.
    [[nodiscard]] bool answer(GstElement* element, GstQuery* query) const;
    // A pool, not configured, of images that can be sampled and copied.
    [[nodiscard]] Ref<GstBufferPool> make_pool() const;

private:
    VulkanShare() = default;

    std::shared_ptr<void> instance_; // GstVulkanInstance
    std::shared_ptr<void> owner_;    // GstVulkanDevice
    std::shared_ptr<void> queue_;    // GstVulkanQueue
    std::shared_ptr<vulkan::Device> device_;
};

[[nodiscard]] bool is_vulkan_image(GstMemory* memory);
// An image as the memory of a frame, under this serial; at least so many texels of it are used.
// Waits for what other queues do with it; what its device's own queue does is waited for by the
// barrier that the frame's user begins with. Unsupported: it is read and nobody has written it, its
// texels are none of ours, or it is too small.
[[nodiscard]] Result<zero_copy::FrameMemory> image_memory(GstMemory* memory, std::uint64_t serial,
                                                          zero_copy::CpuAccess access,
                                                          std::uint32_t width,
                                                          std::uint32_t height);
// The device has read the image, or written it, and has brought it into the layout for that: who
// uses it next is told.
void note_image_read(GstMemory* memory);
void note_image_written(GstMemory* memory);

} // namespace sluice::gst
