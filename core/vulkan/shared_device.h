// SPDX-License-Identifier: Apache-2.0
// SharedDevice: a VkDevice of somebody else's, to run on so that images need not leave it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/vulkan/api.h"

namespace sluice::vulkan {

struct SharedDevice {
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE; // of a family that computes
    std::uint32_t queue_family = 0;
    // What the device was created with: every feature of Vulkan 1.0 to 1.2 that there is, or none
    // of them; and the extensions of which this is true. What was not enabled is off.
    bool core_features = false;
    std::function<bool(const char*)> has_extension;
    // Called around each use of the queue, which its other users lock, too.
    std::function<void()> lock_queue;
    std::function<void()> unlock_queue;
    // Keeps all of it alive. Nothing of it is destroyed here.
    std::shared_ptr<void> owner;
};

} // namespace sluice::vulkan
