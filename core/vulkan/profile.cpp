// SPDX-License-Identifier: Apache-2.0
// Profiles of the devices that the loader finds.
#include "core/vulkan/profile.h"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <utility>

#include "core/vulkan/features.h"
#include "core/vulkan/instance.h"
#include "core/vulkan/pipeline.h"

namespace sluice::vulkan {

namespace {

constexpr std::array kPlaneFormats{
    VK_FORMAT_R8_UNORM,     VK_FORMAT_R8G8_UNORM,     VK_FORMAT_R16_UNORM,
    VK_FORMAT_R16G16_UNORM, VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_B8G8R8A8_UNORM,
};

DeviceType type_of(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return DeviceType::Discrete;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return DeviceType::Integrated;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return DeviceType::Virtual;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return DeviceType::Software;
    default: return DeviceType::Other;
    }
}

struct Properties {
    VkPhysicalDeviceProperties2 base{};
    VkPhysicalDeviceVulkan11Properties v11{};
    VkPhysicalDeviceVulkan12Properties v12{};
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{};
};

void query(VkPhysicalDevice device, bool host_import, Properties& out) {
    out.host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
    out.v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
    out.v12.pNext = host_import ? &out.host : nullptr;
    out.v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
    out.v11.pNext = &out.v12;
    out.base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    out.base.pNext = &out.v11;
    vkGetPhysicalDeviceProperties2(device, &out.base);
}

void fill_limits(const Properties& properties, DeviceProfile& profile) {
    const VkPhysicalDeviceLimits& limits = properties.base.properties.limits;
    profile.max_workgroup_invocations = limits.maxComputeWorkGroupInvocations;
    profile.shared_memory_bytes = limits.maxComputeSharedMemorySize;
    profile.max_push_constant_bytes = limits.maxPushConstantsSize;
    profile.storage_offset_alignment = limits.minStorageBufferOffsetAlignment;
    profile.max_storage_range = limits.maxStorageBufferRange;
    profile.max_workgroups_x = std::ranges::min(limits.maxComputeWorkGroupCount);
    profile.max_allocation_bytes = properties.v11.maxMemoryAllocationSize;
    profile.subgroup_size = properties.v11.subgroupSize;
    const bool in_compute =
        (properties.v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
    const VkSubgroupFeatureFlags subgroup = properties.v11.subgroupSupportedOperations;
    profile.subgroup_arithmetic =
        in_compute && (subgroup & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0;
    profile.subgroup_ballot = in_compute && (subgroup & VK_SUBGROUP_FEATURE_BALLOT_BIT) != 0;
}

void fill_identity(const Properties& properties, DeviceProfile& profile) {
    const VkPhysicalDeviceProperties& base = properties.base.properties;
    profile.name = base.deviceName;
    profile.type = type_of(base.deviceType);
    profile.vendor_id = base.vendorID;
    profile.device_id = base.deviceID;
    profile.api_version = base.apiVersion;
    profile.driver_version = base.driverVersion;
    std::ranges::copy(base.pipelineCacheUUID, profile.cache_uuid.begin());
    if (base.apiVersion >= VK_API_VERSION_1_2) {
        profile.driver =
            std::format("{}, {}", properties.v12.driverName, properties.v12.driverInfo);
    }
}

void fill_types(const Features& features, DeviceProfile& profile) {
    profile.storage_16bit = features.v11.storageBuffer16BitAccess == VK_TRUE;
    profile.storage_8bit = features.v12.storageBuffer8BitAccess == VK_TRUE;
    profile.float16 = features.v12.shaderFloat16 == VK_TRUE;
    profile.int8 = features.v12.shaderInt8 == VK_TRUE;
    profile.int16 = features.base.features.shaderInt16 == VK_TRUE;
    profile.int64 = features.base.features.shaderInt64 == VK_TRUE;
    profile.integer_dot_product = features.dot.shaderIntegerDotProduct == VK_TRUE;
    // GLSL's cooperative matrices need the Vulkan memory model.
    profile.cooperative_matrix =
        features.matrix.cooperativeMatrix == VK_TRUE && features.v12.vulkanMemoryModel == VK_TRUE;
    profile.storage_image_any_format =
        features.base.features.shaderStorageImageWriteWithoutFormat == VK_TRUE;
}

MatrixType type_of(VkComponentTypeKHR type) {
    if (type == VK_COMPONENT_TYPE_FLOAT16_KHR) {
        return MatrixType::Float16;
    }
    return type == VK_COMPONENT_TYPE_FLOAT32_KHR ? MatrixType::Float32 : MatrixType::Other;
}

void fill_matrix_shapes(VkPhysicalDevice device, DeviceProfile& profile) {
    std::uint32_t count = 0;
    if (vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR == nullptr ||
        vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, nullptr) != VK_SUCCESS) {
        return;
    }
    std::vector<VkCooperativeMatrixPropertiesKHR> rows(
        count, {.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
    if (vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, rows.data()) < 0) {
        return;
    }
    rows.resize(count);
    for (const VkCooperativeMatrixPropertiesKHR& row : rows) {
        profile.matrix_shapes.push_back({.m = row.MSize,
                                         .n = row.NSize,
                                         .k = row.KSize,
                                         .a = type_of(row.AType),
                                         .b = type_of(row.BType),
                                         .c = type_of(row.CType),
                                         .result = type_of(row.ResultType),
                                         .of_subgroup = row.scope == VK_SCOPE_SUBGROUP_KHR});
    }
}

bool has_sync_fd(VkPhysicalDevice device) {
    const VkPhysicalDeviceExternalSemaphoreInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkExternalSemaphoreProperties found{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES,
    };
    vkGetPhysicalDeviceExternalSemaphoreProperties(device, &info, &found);
    constexpr VkExternalSemaphoreFeatureFlags kBoth =
        VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT | VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
    return (found.externalSemaphoreFeatures & kBoth) == kBoth;
}

void fill_memory(VkPhysicalDevice device, const Features& features, const Properties& properties,
                 DeviceProfile& profile) {
    VkPhysicalDeviceMemoryProperties memory{};
    vkGetPhysicalDeviceMemoryProperties(device, &memory);
    for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
        if ((memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0) {
            profile.local_bytes += memory.memoryHeaps[i].size;
        }
    }
    // A discrete GPU may show its memory too, but the host reads that very slowly.
    constexpr VkMemoryPropertyFlags kShared = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                              VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (profile.type == DeviceType::Integrated || profile.type == DeviceType::Software) {
        for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
            profile.unified_memory |= (memory.memoryTypes[i].propertyFlags & kShared) == kShared;
        }
    }
    profile.import_host_pointer = features.has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    profile.host_pointer_alignment =
        profile.import_host_pointer ? properties.host.minImportedHostPointerAlignment : 0;
    profile.import_fd = features.has(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
    profile.import_dma_buf =
        profile.import_fd && features.has(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
    profile.drm_modifiers =
        profile.import_dma_buf && features.has(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
    profile.foreign_queue = features.has(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
    profile.sync_fd =
        features.has(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME) && has_sync_fd(device);
    profile.memory_budget = features.has(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
}

// Whether a dmabuf of this modifier can become an image for that usage.
bool importable(VkPhysicalDevice device, VkFormat format, std::uint64_t modifier,
                VkImageUsageFlags usage) {
    const VkPhysicalDeviceImageDrmFormatModifierInfoEXT drm{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
        .drmFormatModifier = modifier,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
    };
    const VkPhysicalDeviceExternalImageFormatInfo external{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .pNext = &drm,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkPhysicalDeviceImageFormatInfo2 info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .pNext = &external,
        .format = format,
        .type = VK_IMAGE_TYPE_2D,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .usage = usage,
    };
    VkExternalImageFormatProperties memory{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
    };
    VkImageFormatProperties2 found{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
        .pNext = &memory,
    };
    return vkGetPhysicalDeviceImageFormatProperties2(device, &info, &found) == VK_SUCCESS &&
           (memory.externalMemoryProperties.externalMemoryFeatures &
            VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
}

void fill_modifiers(VkPhysicalDevice device, const Features& features, DeviceProfile& profile) {
    for (const VkFormat format : kPlaneFormats) {
        VkDrmFormatModifierPropertiesListEXT list{
            .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
        };
        VkFormatProperties2 properties{
            .sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
            .pNext = &list,
        };
        vkGetPhysicalDeviceFormatProperties2(device, format, &properties);
        std::vector<VkDrmFormatModifierPropertiesEXT> rows(list.drmFormatModifierCount);
        list.pDrmFormatModifierProperties = rows.data();
        vkGetPhysicalDeviceFormatProperties2(device, format, &properties);
        // Only the four-channel formats can be named in a shader without a feature.
        const bool can_store =
            format == VK_FORMAT_R8G8B8A8_UNORM || profile.storage_image_any_format ||
            (format != VK_FORMAT_B8G8R8A8_UNORM &&
             features.base.features.shaderStorageImageExtendedFormats == VK_TRUE);
        for (const VkDrmFormatModifierPropertiesEXT& row : rows) {
            const auto usable = [&](VkFormatFeatureFlags bit, VkImageUsageFlags usage) {
                return (row.drmFormatModifierTilingFeatures & bit) != 0 &&
                       importable(device, format, row.drmFormatModifier, usage);
            };
            const ModifierSupport support{
                .vk_format = static_cast<std::uint32_t>(format),
                .modifier = row.drmFormatModifier,
                .memory_planes = row.drmFormatModifierPlaneCount,
                .sampled = usable(VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT, VK_IMAGE_USAGE_SAMPLED_BIT),
                .storage = can_store &&
                           usable(VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT, VK_IMAGE_USAGE_STORAGE_BIT),
            };
            if (support.sampled || support.storage) {
                profile.modifiers.push_back(support);
            }
        }
    }
}

std::string why_unusable(VkPhysicalDevice device, const Features& features,
                         const Properties& properties) {
    if (features.v12.timelineSemaphore != VK_TRUE) {
        return "it has no timeline semaphores";
    }
    const VkPhysicalDeviceLimits& limits = properties.base.properties.limits;
    if (limits.maxPerStageDescriptorStorageBuffers < kMaxBindings) {
        return std::format("a shader may bind {} storage buffers, Sluice binds up to {}",
                           limits.maxPerStageDescriptorStorageBuffers, kMaxBindings);
    }
    if (!compute_queue_family(device)) {
        return "none of its queues computes";
    }
    return {};
}

// `shared`: the device is opened already, and not by us.
DeviceProfile profile_of(VkPhysicalDevice device, unsigned index, const SharedDevice* shared) {
    DeviceProfile profile;
    profile.index = index;
    VkPhysicalDeviceProperties first{};
    vkGetPhysicalDeviceProperties(device, &first);
    if (first.apiVersion < VK_API_VERSION_1_2) {
        Properties only;
        only.base.properties = first;
        fill_identity(only, profile);
        profile.unusable = std::format("its driver has Vulkan {}.{}, 1.2 is needed",
                                       VK_API_VERSION_MAJOR(first.apiVersion),
                                       VK_API_VERSION_MINOR(first.apiVersion));
        return profile;
    }
    const Features features = shared != nullptr ? Features(*shared) : Features(device);
    Properties properties;
    query(device, features.has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME), properties);
    fill_identity(properties, profile);
    fill_limits(properties, profile);
    fill_types(features, profile);
    if (profile.cooperative_matrix) {
        fill_matrix_shapes(device, profile);
    }
    fill_memory(device, features, properties, profile);
    if (profile.drm_modifiers) {
        fill_modifiers(device, features, profile);
    }
    profile.unusable = why_unusable(device, features, properties);
    return profile;
}

Result<std::vector<DeviceProfile>> discover() {
    SLUICE_TRY_ASSIGN(const Instance* of, instance());
    std::vector<DeviceProfile> profiles;
    profiles.reserve(of->devices.size());
    for (const VkPhysicalDevice device : of->devices) {
        profiles.push_back(profile_of(device, static_cast<unsigned>(profiles.size()), nullptr));
    }
    return profiles;
}

} // namespace

DeviceProfile profile_of(const SharedDevice& shared) {
    return profile_of(shared.physical, 0, &shared);
}

std::optional<std::uint32_t> compute_queue_family(VkPhysicalDevice device) {
    std::uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
    for (std::uint32_t i = 0; i < count; ++i) {
        if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0) {
            return i;
        }
    }
    return std::nullopt;
}

std::string_view name(DeviceType type) {
    switch (type) {
    case DeviceType::Discrete: return "discrete GPU";
    case DeviceType::Integrated: return "integrated GPU";
    case DeviceType::Virtual: return "virtual GPU";
    case DeviceType::Software: return "software";
    case DeviceType::Other: return "other";
    }
    std::unreachable();
}

Result<std::span<const DeviceProfile>> list_devices() {
    static const Result<std::vector<DeviceProfile>> found = discover();
    if (!found) {
        return std::unexpected(found.error());
    }
    return std::span(*found);
}

} // namespace sluice::vulkan
