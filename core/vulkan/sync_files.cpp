// SPDX-License-Identifier: Apache-2.0
// Import and export of sync files.
#include "core/vulkan/sync_files.h"

#include <utility>

#include "core/vulkan/device.h"

namespace sluice::vulkan {

Result<SyncFiles::Slot*> SyncFiles::take(std::vector<std::unique_ptr<Slot>>& slots,
                                         const void* next, std::uint64_t reached) const {
    for (const auto& slot : slots) {
        if (slot->busy_until <= reached) {
            return slot.get();
        }
    }
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = next,
    };
    VkSemaphore raw = VK_NULL_HANDLE;
    if (const VkResult result = table_->vkCreateSemaphore(device_, &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateSemaphore"));
    }
    slots.push_back(std::make_unique<Slot>(SemaphoreHandle(device_, *table_, raw)));
    return slots.back().get();
}

Result<SyncFiles::Slot*> SyncFiles::import(UniqueFd fd, std::uint64_t reached) {
    SLUICE_TRY_ASSIGN(Slot * slot, take(waits_, nullptr, reached));
    const VkImportSemaphoreFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = slot->semaphore.get(),
        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = fd.get(),
    };
    if (const VkResult result = table_->vkImportSemaphoreFdKHR(device_, &info);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkImportSemaphoreFdKHR"));
    }
    std::ignore = fd.release(); // the driver's now
    return slot;
}

Result<SyncFiles::Slot*> SyncFiles::exportable(std::uint64_t reached) {
    const VkExportSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    return take(signals_, &info, reached);
}

Result<UniqueFd> SyncFiles::export_file(const Slot& slot) const {
    const VkSemaphoreGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
        .semaphore = slot.semaphore.get(),
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int fd = -1;
    if (const VkResult result = table_->vkGetSemaphoreFdKHR(device_, &info, &fd);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkGetSemaphoreFdKHR"));
    }
    return UniqueFd(fd); // -1: done already
}

} // namespace sluice::vulkan
