// SPDX-License-Identifier: Apache-2.0
// Creation of the instance, with the validation layer where the environment asks for it.
#include "core/vulkan/instance.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "core/base/log.h"
#include "core/vulkan/device.h"

namespace sluice::vulkan {

namespace {

constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";

std::atomic<std::uint64_t> g_messages = 0;

bool wants_validation() {
    const char* text = std::getenv("SLUICE_VULKAN_VALIDATION");
    return text != nullptr && std::string_view(text) == "1";
}

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT /*severity*/,
                                          VkDebugUtilsMessageTypeFlagsEXT /*type*/,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data,
                                          void* /*user*/) {
    g_messages.fetch_add(1, std::memory_order_relaxed);
    log::write(log::Level::Error, "vulkan", data->pMessage != nullptr ? data->pMessage : "");
    return VK_FALSE;
}

// The loader's own remarks (drivers that do not fit this machine) are of the general type and stay
// out.
constexpr VkDebugUtilsMessengerCreateInfoEXT kMessenger{
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = on_message,
};

bool has_validation_layer() {
    std::uint32_t count = 0;
    vkEnumerateInstanceLayerProperties(&count, nullptr);
    std::vector<VkLayerProperties> layers(count);
    vkEnumerateInstanceLayerProperties(&count, layers.data());
    return std::ranges::any_of(layers, [](const VkLayerProperties& layer) {
        return std::string_view(layer.layerName) == kValidationLayer;
    });
}

Result<VkInstance> create_instance(bool validation) {
    const VkApplicationInfo application{
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "sluice",
        .pEngineName = "sluice",
        .apiVersion = VK_API_VERSION_1_3,
    };
    constexpr std::array kEnabled{VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    const VkValidationFeaturesEXT features{
        .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
        .pNext = &kMessenger,
        .enabledValidationFeatureCount = kEnabled.size(),
        .pEnabledValidationFeatures = kEnabled.data(),
    };
    constexpr std::array kExtensions{VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                     VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
    VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
    };
    if (validation) {
        info.pNext = &features;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &kValidationLayer;
        info.enabledExtensionCount = kExtensions.size();
        info.ppEnabledExtensionNames = kExtensions.data();
    }
    VkInstance handle = VK_NULL_HANDLE;
    const VkResult result = vkCreateInstance(&info, nullptr, &handle);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
        return fail(ErrorCode::Unsupported,
                    "the Vulkan loader finds no driver; install your GPU's, or Mesa's "
                    "(mesa-vulkan-drivers), which has a software device too");
    }
    if (result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateInstance"));
    }
    return handle;
}

Result<Instance> make_instance() {
    if (volkInitialize() != VK_SUCCESS) {
        return fail(ErrorCode::Unsupported,
                    "there is no Vulkan loader (libvulkan.so.1); install libvulkan1 and your GPU's "
                    "driver (mesa-vulkan-drivers, or its vendor's)");
    }
    Instance made;
    made.validation = wants_validation();
    if (made.validation && !has_validation_layer()) {
        log::warning("vulkan",
                     "SLUICE_VULKAN_VALIDATION=1, but there is no {}; install "
                     "vulkan-validationlayers",
                     kValidationLayer);
        made.validation = false;
    }
    SLUICE_TRY_ASSIGN(made.handle, create_instance(made.validation));
    volkLoadInstanceOnly(made.handle);
    if (made.validation) {
        VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
        vkCreateDebugUtilsMessengerEXT(made.handle, &kMessenger, nullptr, &messenger);
    }
    std::uint32_t count = 0;
    VkResult result = vkEnumeratePhysicalDevices(made.handle, &count, nullptr);
    if (result == VK_SUCCESS) {
        made.devices.resize(count);
        result = vkEnumeratePhysicalDevices(made.handle, &count, made.devices.data());
    }
    if (result < 0) {
        return std::unexpected(vulkan_error(result, "vkEnumeratePhysicalDevices"));
    }
    made.devices.resize(count);
    if (made.devices.empty()) {
        return fail(ErrorCode::Unsupported,
                    "no Vulkan driver finds a device; install your GPU's, or Mesa's "
                    "(mesa-vulkan-drivers), which has a software device too");
    }
    return made;
}

} // namespace

Result<const Instance*> instance() {
    // The VkInstance is never destroyed: devices may live in static objects, and drivers do not
    // like to be unloaded.
    static const Result<Instance> made = make_instance();
    if (!made) {
        return std::unexpected(made.error());
    }
    return &*made;
}

std::uint64_t validation_message_count() {
    return g_messages.load(std::memory_order_relaxed);
}

} // namespace sluice::vulkan
