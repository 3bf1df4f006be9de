// SPDX-License-Identifier: Apache-2.0
// What a Device holds, for the files that implement it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/handle.h"
#include "core/vulkan/pipeline.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/shared_device.h"
#include "core/vulkan/sync_files.h"

namespace sluice::vulkan {

// Something retired, until the timeline has reached the value.
struct Waiting {
    std::unique_ptr<Retired> object;
    std::uint64_t value = 0;
};

// Outlives the Device as long as somebody holds its lifeline, so that handles can be destroyed.
struct Device::State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    // Of an adopted device what is made here goes, and the device stays.
    ~State() {
        pipelines.reset();
        sync_files.reset();
        timeline = {};
        if (device != VK_NULL_HANDLE && !shared.owner) {
            table.vkDestroyDevice(device, nullptr);
        }
    }

    SharedDevice shared; // first: let go last; with an owner where the device is adopted
    DeviceProfile profile;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VolkDeviceTable table{};
    VkPhysicalDeviceMemoryProperties memory{};
    std::uint32_t family = 0;
    VkQueue queue = VK_NULL_HANDLE;
    SemaphoreHandle timeline;
    std::unique_ptr<SyncFiles> sync_files;
    std::unique_ptr<PipelineStore> pipelines;

    std::atomic<bool> lost = false;
    std::atomic<std::uint64_t> last = 0; // submitted; written under the lock
    std::mutex lock;                     // guards queue, sync_files, retired and what follows
    std::vector<Waiting> retired;

    [[nodiscard]] Status create();
    [[nodiscard]] Status prepare();
    [[nodiscard]] std::uint64_t value() const;
    [[nodiscard]] Error failed(VkResult result, std::string_view call);
    [[nodiscard]] std::vector<Waiting> take_done();
};

} // namespace sluice::vulkan
