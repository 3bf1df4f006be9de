// SPDX-License-Identifier: Apache-2.0
// The process's Vulkan instance: made when a device is first asked for, kept until the end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/api.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/shared_device.h"

namespace sluice::vulkan {

struct Instance {
    VkInstance handle = VK_NULL_HANDLE;
    bool validation = false;               // the layer is on
    std::vector<VkPhysicalDevice> devices; // in the loader's order
};

// Unsupported where there is no loader or no driver; says what to install. Thread-safe.
[[nodiscard]] Result<const Instance*> instance();

// Of a device as somebody else has opened it. instance() has been called.
[[nodiscard]] DeviceProfile profile_of(const SharedDevice& shared);

// The family whose queue Sluice computes on, if there is one.
[[nodiscard]] std::optional<std::uint32_t> compute_queue_family(VkPhysicalDevice device);

// Messages of the validation layer since the start of the process.
[[nodiscard]] std::uint64_t validation_message_count();

} // namespace sluice::vulkan
