// SPDX-License-Identifier: Apache-2.0
// A Vulkan layer for tests: counts the calls that make, change and destroy objects, and lets the
// nth of them fail. It lies above the validation layer, which therefore sees neither the counting
// nor a call that was made to fail.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <tuple>
#include <type_traits>

// clang-format off
#include "core/vulkan/api.h" // first: Vulkan without prototypes
#include <vulkan/vk_layer.h>
// clang-format on

namespace {

// Everything that makes, changes or destroys something on a device, and is used or might be.
#define SLUICE_WATCHED(CALL)                                                                       \
    CALL(vkAllocateCommandBuffers)                                                                 \
    CALL(vkAllocateDescriptorSets)                                                                 \
    CALL(vkAllocateMemory)                                                                         \
    CALL(vkBeginCommandBuffer)                                                                     \
    CALL(vkBindBufferMemory)                                                                       \
    CALL(vkBindImageMemory)                                                                        \
    CALL(vkBindImageMemory2)                                                                       \
    CALL(vkCreateBuffer)                                                                           \
    CALL(vkCreateBufferView)                                                                       \
    CALL(vkCreateCommandPool)                                                                      \
    CALL(vkCreateComputePipelines)                                                                 \
    CALL(vkCreateDescriptorPool)                                                                   \
    CALL(vkCreateDescriptorSetLayout)                                                              \
    CALL(vkCreateEvent)                                                                            \
    CALL(vkCreateFence)                                                                            \
    CALL(vkCreateImage)                                                                            \
    CALL(vkCreateImageView)                                                                        \
    CALL(vkCreatePipelineCache)                                                                    \
    CALL(vkCreatePipelineLayout)                                                                   \
    CALL(vkCreateQueryPool)                                                                        \
    CALL(vkCreateSampler)                                                                          \
    CALL(vkCreateSemaphore)                                                                        \
    CALL(vkCreateShaderModule)                                                                     \
    CALL(vkDestroyBuffer)                                                                          \
    CALL(vkDestroyBufferView)                                                                      \
    CALL(vkDestroyCommandPool)                                                                     \
    CALL(vkDestroyDescriptorPool)                                                                  \
    CALL(vkDestroyDescriptorSetLayout)                                                             \
    CALL(vkDestroyEvent)                                                                           \
    CALL(vkDestroyFence)                                                                           \
    CALL(vkDestroyImage)                                                                           \
    CALL(vkDestroyImageView)                                                                       \
    CALL(vkDestroyPipeline)                                                                        \
    CALL(vkDestroyPipelineCache)                                                                   \
    CALL(vkDestroyPipelineLayout)                                                                  \
    CALL(vkDestroyQueryPool)                                                                       \
    CALL(vkDestroySampler)                                                                         \
    CALL(vkDestroySemaphore)                                                                       \
    CALL(vkDestroyShaderModule)                                                                    \
    CALL(vkEndCommandBuffer)                                                                       \
    CALL(vkFreeCommandBuffers)                                                                     \
    CALL(vkFreeDescriptorSets)                                                                     \
    CALL(vkFreeMemory)                                                                             \
    CALL(vkGetMemoryFdKHR)                                                                         \
    CALL(vkGetMemoryFdPropertiesKHR)                                                               \
    CALL(vkGetMemoryHostPointerPropertiesEXT)                                                      \
    CALL(vkGetSemaphoreFdKHR)                                                                      \
    CALL(vkImportSemaphoreFdKHR)                                                                   \
    CALL(vkMapMemory)                                                                              \
    CALL(vkQueueSubmit)                                                                            \
    CALL(vkUpdateDescriptorSets)                                                                   \
    CALL(vkWaitSemaphores)

#define SLUICE_ENUMERATE(call) k_##call,
enum Call : std::size_t { SLUICE_WATCHED(SLUICE_ENUMERATE) kCallCount };
#undef SLUICE_ENUMERATE
#define SLUICE_NAME(call) #call,
constexpr std::array<std::string_view, kCallCount> kNames{SLUICE_WATCHED(SLUICE_NAME)};
#undef SLUICE_NAME

// What every dispatchable handle begins with: the same for all that belong to one device, and for
// an instance and its physical devices.
using Key = void*;
template <typename Handle>
Key key_of(Handle handle) {
    return *reinterpret_cast<void**>(handle);
}

struct NextInstance {
    VkInstance instance = VK_NULL_HANDLE;
    PFN_vkGetInstanceProcAddr get = nullptr;
};

std::shared_mutex g_lock; // guards both maps, whose values stay where they are
std::map<Key, NextInstance> g_instances;
struct NextDevice {
    VolkDeviceTable table{};
    PFN_vkGetDeviceProcAddr get = nullptr;
};
std::map<Key, NextDevice> g_devices;

template <typename Handle>
const NextDevice& next(Handle handle) {
    const std::shared_lock hold(g_lock);
    return g_devices.at(key_of(handle));
}

std::array<std::atomic<std::uint64_t>, kCallCount> g_counts{};
std::atomic<std::int64_t> g_alive = 0; // made and not destroyed

struct Fault {
    std::atomic<std::uint64_t> left = 0; // calls until it happens; 0: never
    std::atomic<bool> stays = false;     // all later ones fail, too
    std::atomic<VkResult> result = VK_SUCCESS;
    std::array<std::atomic<bool>, kCallCount> of{};
    std::atomic<std::uint64_t> happened = 0;
} g_fault;

bool is_to_fail(Call call) {
    if (!g_fault.of[call] || g_fault.left == 0) {
        return false;
    }
    if (g_fault.left > 1) {
        --g_fault.left;
        return false;
    }
    if (!g_fault.stays) {
        g_fault.left = 0;
    }
    ++g_fault.happened;
    return true;
}

constexpr bool begins(std::string_view name, std::string_view with) {
    return name.starts_with(with);
}

template <Call Id, auto Member>
struct Watched;
template <Call Id, typename R, typename D, typename... A,
          R (VKAPI_PTR* VolkDeviceTable::*Member)(D, A...)>
struct Watched<Id, Member> {
    static VKAPI_ATTR R VKAPI_CALL intercept(D object, A... rest) {
        ++g_counts[Id];
        if constexpr (std::is_same_v<R, VkResult>) {
            if (is_to_fail(Id)) {
                return g_fault.result;
            }
            const VkResult result = (next(object).table.*Member)(object, rest...);
            if constexpr (begins(kNames[Id], "vkCreate") || Id == k_vkAllocateMemory) {
                g_alive += result == VK_SUCCESS ? 1 : 0;
            }
            return result;
        } else {
            if constexpr (begins(kNames[Id], "vkDestroy") || Id == k_vkFreeMemory) {
                const auto first = std::get<0>(std::tuple(rest...));
                g_alive -= first != VK_NULL_HANDLE ? 1 : 0;
            }
            return (next(object).table.*Member)(object, rest...);
        }
    }
};

PFN_vkVoidFunction watched(std::string_view name) {
#define SLUICE_POINTER(call)                                                                       \
    reinterpret_cast<PFN_vkVoidFunction>(&Watched<k_##call, &VolkDeviceTable::call>::intercept),
    static const std::array<PFN_vkVoidFunction, kCallCount> pointers{
        SLUICE_WATCHED(SLUICE_POINTER)};
#undef SLUICE_POINTER
    const auto at = std::ranges::find(kNames, name);
    return at == kNames.end() ? nullptr : pointers[static_cast<std::size_t>(at - kNames.begin())];
}

// Nothing is made behind this layer's back: what it does not watch is not there.
bool is_hidden(std::string_view name) {
    constexpr std::array kPrefixes{std::string_view("vkCreate"), std::string_view("vkAllocate"),
                                   std::string_view("vkQueueSubmit"),
                                   std::string_view("vkUpdateDescriptorSet")};
    return std::ranges::any_of(kPrefixes, [&](auto prefix) { return name.starts_with(prefix); });
}

template <typename Link, typename Info>
Link* link_of(const Info* info, VkStructureType type) {
    for (auto* next = static_cast<const VkBaseInStructure*>(info->pNext); next != nullptr;
         next = next->pNext) {
        auto* link = reinterpret_cast<Link*>(const_cast<VkBaseInStructure*>(next));
        if (next->sType == type && link->function == VK_LAYER_LINK_INFO) {
            return link;
        }
    }
    return nullptr;
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo* info,
                                               const VkAllocationCallbacks* allocator,
                                               VkInstance* out) {
    auto* const link =
        link_of<VkLayerInstanceCreateInfo>(info, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (link == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    const PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
    const VkResult result = create(info, allocator, out);
    if (result == VK_SUCCESS) {
        const std::unique_lock hold(g_lock);
        g_instances[key_of(*out)] = {.instance = *out, .get = get};
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical,
                                             const VkDeviceCreateInfo* info,
                                             const VkAllocationCallbacks* allocator,
                                             VkDevice* out) {
    auto* const link =
        link_of<VkLayerDeviceCreateInfo>(info, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    const PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    const PFN_vkGetDeviceProcAddr get_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    VkInstance instance = VK_NULL_HANDLE;
    {
        const std::shared_lock hold(g_lock);
        instance = g_instances.at(key_of(physical)).instance;
    }
    const auto create = reinterpret_cast<PFN_vkCreateDevice>(get(instance, "vkCreateDevice"));
    const VkResult result = create(physical, info, allocator, out);
    if (result == VK_SUCCESS) {
        const std::unique_lock hold(g_lock);
        NextDevice& made = g_devices[key_of(*out)];
        made.get = get_device;
        vkGetDeviceProcAddr = get_device; // what volk fills tables with
        volkLoadDeviceTable(&made.table, *out);
    }
    return result;
}

PFN_vkVoidFunction VKAPI_CALL get_instance_call(VkInstance instance, const char* name);
PFN_vkVoidFunction VKAPI_CALL get_device_call(VkDevice device, const char* name) {
    if (std::string_view(name) == "vkGetDeviceProcAddr") {
        return reinterpret_cast<PFN_vkVoidFunction>(&get_device_call);
    }
    if (PFN_vkVoidFunction found = watched(name)) {
        return found;
    }
    return is_hidden(name) ? nullptr : next(device).get(device, name);
}

PFN_vkVoidFunction VKAPI_CALL get_instance_call(VkInstance instance, const char* name) {
    const std::string_view wanted(name);
    if (wanted == "vkGetInstanceProcAddr") {
        return reinterpret_cast<PFN_vkVoidFunction>(&get_instance_call);
    }
    if (wanted == "vkGetDeviceProcAddr") {
        return reinterpret_cast<PFN_vkVoidFunction>(&get_device_call);
    }
    if (wanted == "vkCreateInstance") {
        return reinterpret_cast<PFN_vkVoidFunction>(&create_instance);
    }
    if (wanted == "vkCreateDevice") {
        return reinterpret_cast<PFN_vkVoidFunction>(&create_device);
    }
    if (PFN_vkVoidFunction found = watched(wanted)) {
        return found;
    }
    if (instance == VK_NULL_HANDLE) {
        return nullptr;
    }
    const std::shared_lock hold(g_lock);
    return g_instances.at(key_of(instance)).get(instance, name);
}

} // namespace

// What the loader asks for, and what vulkan_watch.h does.
#define SLUICE_EXPORT extern "C" __attribute__((visibility("default")))

SLUICE_EXPORT VkResult vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* with) {
    with->loaderLayerInterfaceVersion = 2;
    with->pfnGetInstanceProcAddr = get_instance_call;
    with->pfnGetDeviceProcAddr = get_device_call;
    with->pfnGetPhysicalDeviceProcAddr = nullptr;
    return VK_SUCCESS;
}

SLUICE_EXPORT std::uint64_t sluice_watch_calls(const char* prefix) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kCallCount; ++i) {
        sum += kNames[i].starts_with(prefix) ? g_counts[i].load() : 0;
    }
    return sum;
}

SLUICE_EXPORT std::int64_t sluice_watch_alive() {
    return g_alive;
}

SLUICE_EXPORT void sluice_watch_fail(const char* prefix, std::uint64_t nth, int result,
                                     bool stays) {
    g_fault.left = 0;
    for (std::size_t i = 0; i < kCallCount; ++i) {
        g_fault.of[i] = kNames[i].starts_with(prefix);
    }
    g_fault.result = static_cast<VkResult>(result);
    g_fault.stays = stays;
    g_fault.happened = 0;
    g_fault.left = nth;
}

SLUICE_EXPORT std::uint64_t sluice_watch_failed() {
    return g_fault.happened;
}
