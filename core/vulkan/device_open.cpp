// SPDX-License-Identifier: Apache-2.0
// Opening of devices, and adoption of those of others; one object for each.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/device_state.h"
#include "core/vulkan/features.h"
#include "core/vulkan/instance.h"
#include "core/vulkan/pipeline.h"

namespace sluice::vulkan {

Status Device::State::create() {
    const Features features(physical);
    family = compute_queue_family(physical).value_or(0);
    constexpr float kPriority = 1.0F;
    const VkDeviceQueueCreateInfo queue_info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = family,
        .queueCount = 1,
        .pQueuePriorities = &kPriority,
    };
    const VkDeviceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = &features.base,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue_info,
        .enabledExtensionCount = static_cast<std::uint32_t>(features.extensions.size()),
        .ppEnabledExtensionNames = features.extensions.data(),
    };
    if (const VkResult result = vkCreateDevice(physical, &info, nullptr, &device);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateDevice"));
    }
    volkLoadDeviceTable(&table, device);
    table.vkGetDeviceQueue(device, family, 0, &queue);
    return prepare();
}

// What is made on any device.
Status Device::State::prepare() {
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);

    const VkSemaphoreTypeCreateInfo type{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo semaphore{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &type,
    };
    VkSemaphore raw = VK_NULL_HANDLE;
    if (const VkResult result = table.vkCreateSemaphore(device, &semaphore, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateSemaphore"));
    }
    timeline = SemaphoreHandle(device, table, raw);
    sync_files = std::make_unique<SyncFiles>(device, table);
    return {};
}

Result<std::shared_ptr<Device>> Device::make(const DeviceProfile& profile,
                                             VkPhysicalDevice physical) {
    auto state = std::make_shared<State>();
    state->profile = profile;
    state->physical = physical;
    SLUICE_TRY(state->create());
    std::shared_ptr<Device> device(new Device(std::move(state)));
    SLUICE_TRY_ASSIGN(device->state_->pipelines, PipelineStore::create(*device));
    return device;
}

namespace {

// Those that are adopted, by selector.
struct Adopted {
    std::mutex lock;
    std::map<std::string, std::weak_ptr<Device>, std::less<>> devices;
};
Adopted& adopted() {
    static Adopted all;
    return all;
}

std::string selector_of(VkDevice device) {
    return std::format("@{:x}", reinterpret_cast<std::uintptr_t>(device));
}

Result<std::shared_ptr<Device>> find_adopted(std::string_view selector) {
    Adopted& all = adopted();
    const std::lock_guard hold(all.lock);
    const auto at = all.devices.find(selector);
    auto device = at != all.devices.end() ? at->second.lock() : nullptr;
    if (device == nullptr) {
        return fail(ErrorCode::NotFound, "nobody shares a Vulkan device '{}' any more", selector);
    }
    return device;
}

} // namespace

Result<std::shared_ptr<Device>> Device::adopt(SharedDevice shared) {
    // Loads the functions that are no device's. They work on any instance of the loader.
    SLUICE_TRY_ASSIGN([[maybe_unused]] const Instance* of, instance());
    const std::string selector = selector_of(shared.device);
    Adopted& all = adopted();
    const std::lock_guard hold(all.lock);
    std::weak_ptr<Device>& slot = all.devices[selector];
    if (auto existing = slot.lock(); existing != nullptr && !existing->lost()) {
        return existing;
    }
    auto state = std::make_shared<State>();
    state->profile = profile_of(shared);
    if (!state->profile.unusable.empty()) {
        return fail(ErrorCode::Unsupported, "the shared Vulkan device '{}' cannot be used: {}",
                    state->profile.name, state->profile.unusable);
    }
    state->physical = shared.physical;
    state->device = shared.device;
    state->family = shared.queue_family;
    state->queue = shared.queue;
    volkLoadDeviceTable(&state->table, shared.device);
    state->shared = std::move(shared);
    SLUICE_TRY(state->prepare());
    std::shared_ptr<Device> device(new Device(std::move(state)));
    SLUICE_TRY_ASSIGN(device->state_->pipelines, PipelineStore::create(*device));
    slot = device;
    log::info("vulkan", "runs on the shared device '{}'", device->profile().name);
    return device;
}

std::string Device::selector() const {
    return state_->shared.owner ? selector_of(state_->device) : std::to_string(profile().index);
}

Result<std::shared_ptr<Device>> Device::open(std::string_view selector) {
    if (selector.starts_with('@')) {
        return find_adopted(selector);
    }
    static std::mutex lock; // guards opened
    static std::map<std::size_t, std::weak_ptr<Device>> opened;
    SLUICE_TRY_ASSIGN(const auto profiles, list_devices());
    SLUICE_TRY_ASSIGN(const std::size_t index, select_device(profiles, selector));
    SLUICE_TRY_ASSIGN(const Instance* of, instance());
    const std::lock_guard hold(lock);
    std::weak_ptr<Device>& slot = opened[index];
    if (auto existing = slot.lock(); existing != nullptr && !existing->lost()) {
        return existing;
    }
    auto made = make(profiles[index], of->devices[index]);
    if (!made) {
        return std::unexpected(std::move(made).error().within(
            std::format("opening Vulkan device {} '{}'", index, profiles[index].name)));
    }
    slot = *made;
    log::info("vulkan", "opened device {} '{}' ({})", index, profiles[index].name,
              profiles[index].driver);
    return made;
}

} // namespace sluice::vulkan
