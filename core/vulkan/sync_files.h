// SPDX-License-Identifier: Apache-2.0
// Sync files as binary semaphores, which are used again and again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/api.h"
#include "core/vulkan/handle.h"

namespace sluice::vulkan {

// The device's lock guards it. `reached` is the timeline's value: semaphores of submissions up to
// it are free.
class SyncFiles {
public:
    struct Slot {
        SemaphoreHandle semaphore;
        std::uint64_t busy_until = 0; // set by whoever submits it
    };

    SyncFiles(VkDevice device, const VolkDeviceTable& table) : device_(device), table_(&table) {}

    // A semaphore that signals when the fence in `fd` does. Valid until the next call.
    [[nodiscard]] Result<Slot*> import(UniqueFd fd, std::uint64_t reached);
    // One whose signal can be exported once it is submitted.
    [[nodiscard]] Result<Slot*> exportable(std::uint64_t reached);
    [[nodiscard]] Result<UniqueFd> export_file(const Slot& slot) const;

private:
    [[nodiscard]] Result<Slot*> take(std::vector<std::unique_ptr<Slot>>& slots, const void* next,
                                     std::uint64_t reached) const;

    VkDevice device_;
    const VolkDeviceTable* table_;
    std::vector<std::unique_ptr<Slot>> waits_;
    std::vector<std::unique_ptr<Slot>> signals_;
};

} // namespace sluice::vulkan
