// SPDX-License-Identifier: Apache-2.0
// What libgstvulkan shares: its VkDevice, for the engine to run on, and images that lie there.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <gst/base/gstbasetransform.h>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "zero_copy/external_frame.h"

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

private:
    VulkanShare() = default;

    std::shared_ptr<void> instance_; // GstVulkanInstance
    std::shared_ptr<void> owner_;    // GstVulkanDevice
    std::shared_ptr<void> queue_;    // GstVulkanQueue
    std::shared_ptr<vulkan::Device> device_;
};

[[nodiscard]] bool is_vulkan_image(GstMemory* memory);
// An image as the memory of a frame, under this serial. Waits for what other queues do with it;
// what its device's own queue does is waited for by the barrier that the frame's reader begins
// with. Unsupported: nobody has written it, or it cannot be sampled.
[[nodiscard]] Result<zero_copy::FrameMemory> image_memory(GstMemory* memory, std::uint64_t serial);
// The device has read the image, and has brought it into the layout for that: who uses it next is
// told.
void note_image_read(GstMemory* memory);

} // namespace sluice::gst
