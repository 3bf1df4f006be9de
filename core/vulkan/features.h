// SPDX-License-Identifier: Apache-2.0
// The features and extensions that Sluice uses of a device, where it has them.
#pragma once

#include <string_view>
#include <vector>

#include "core/vulkan/api.h"
#include "core/vulkan/shared_device.h"

namespace sluice::vulkan {

// A chain of feature structures; it points into itself and therefore stays where it was made.
class Features {
public:
    // What the device has, reduced to what Sluice uses: exactly this is enabled when it is opened.
    explicit Features(VkPhysicalDevice device);
    // What of it somebody else has enabled.
    explicit Features(const SharedDevice& shared);
    Features(const Features&) = delete;
    Features& operator=(const Features&) = delete;

    VkPhysicalDeviceFeatures2 base{};
    VkPhysicalDeviceVulkan11Features v11{};
    VkPhysicalDeviceVulkan12Features v12{};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot{};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{};
    std::vector<const char*> extensions; // to enable

    [[nodiscard]] bool has(std::string_view extension) const;

private:
    void query(VkPhysicalDevice device);
    void keep_used();
};

} // namespace sluice::vulkan
