// SPDX-License-Identifier: Apache-2.0
// Which features and extensions are used, and which of them a device has.
#include "core/vulkan/features.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice::vulkan {

namespace {

// All of them are optional.
constexpr std::array kUsed{
    VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,    VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME,
    VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,  VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,       VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,         VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
    VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
};

std::vector<const char*> used_extensions(VkPhysicalDevice device) {
    std::uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> all(count);
    vkEnumerateDeviceExtensionProperties(device, nullptr, &count, all.data());
    std::vector<const char*> used;
    for (const char* name : kUsed) {
        if (std::ranges::any_of(all, [&](const VkExtensionProperties& there) {
                return std::string_view(there.extensionName) == name;
            })) {
            used.push_back(name);
        }
    }
    return used;
}

} // namespace

Features::Features(VkPhysicalDevice device) : extensions(used_extensions(device)) {
    query(device);
}

// An extension that is not enabled takes its feature structure out of the chain.
Features::Features(const SharedDevice& shared) : extensions(used_extensions(shared.physical)) {
    std::erase_if(extensions, [&](const char* name) {
        return !shared.has_extension || !shared.has_extension(name);
    });
    query(shared.physical);
    if (!shared.core_features) {
        base.features = {};
        v11 = {.sType = v11.sType, .pNext = v11.pNext};
        v12 = {.sType = v12.sType, .pNext = v12.pNext};
    }
    // Enabling the extension does not enable the feature.
    dot.shaderIntegerDotProduct = VK_FALSE;
    matrix.cooperativeMatrix = VK_FALSE;
}

void Features::query(VkPhysicalDevice device) {
    base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
    matrix.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;
    base.pNext = &v11;
    v11.pNext = &v12;
    void** end = &v12.pNext;
    if (has(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) {
        *end = &dot;
        end = &dot.pNext;
    }
    if (has(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
        *end = &matrix;
    }
    vkGetPhysicalDeviceFeatures2(device, &base);
    keep_used();
}

bool Features::has(std::string_view extension) const {
    return std::ranges::contains(extensions, extension);
}

void Features::keep_used() {
    const VkPhysicalDeviceFeatures all = base.features;
    base.features = {
        .robustBufferAccess = all.robustBufferAccess,
        .shaderStorageImageExtendedFormats = all.shaderStorageImageExtendedFormats,
        .shaderStorageImageWriteWithoutFormat = all.shaderStorageImageWriteWithoutFormat,
        .shaderInt64 = all.shaderInt64,
        .shaderInt16 = all.shaderInt16,
    };
    v11 = {
        .sType = v11.sType,
        .pNext = v11.pNext,
        .storageBuffer16BitAccess = v11.storageBuffer16BitAccess,
        .uniformAndStorageBuffer16BitAccess = v11.uniformAndStorageBuffer16BitAccess,
    };
    v12 = {
        .sType = v12.sType,
        .pNext = v12.pNext,
        .storageBuffer8BitAccess = v12.storageBuffer8BitAccess,
        .uniformAndStorageBuffer8BitAccess = v12.uniformAndStorageBuffer8BitAccess,
        .shaderFloat16 = v12.shaderFloat16,
        .shaderInt8 = v12.shaderInt8,
        .scalarBlockLayout = v12.scalarBlockLayout,
        .shaderSubgroupExtendedTypes = v12.shaderSubgroupExtendedTypes,
        .timelineSemaphore = v12.timelineSemaphore,
        .vulkanMemoryModel = v12.vulkanMemoryModel,
        .vulkanMemoryModelDeviceScope = v12.vulkanMemoryModelDeviceScope,
    };
    matrix.cooperativeMatrixRobustBufferAccess = VK_FALSE;
}

} // namespace sluice::vulkan
