// SPDX-License-Identifier: Apache-2.0
// Handle: the only owner of a Vulkan object that belongs to a device.
#pragma once

#include <utility>

#include "core/vulkan/api.h"

namespace sluice::vulkan {

// Destroy names the member of the device's function table that destroys H. The device must outlive
// the handle; an object that the device may still be using is given to Device::retire() instead of
// being destroyed.
template <typename H, auto Destroy>
class Handle {
public:
    Handle() = default;
    Handle(VkDevice device, const VolkDeviceTable& table, H handle)
        : device_(device), table_(&table), handle_(handle) {}
    Handle(Handle&& other) noexcept { swap(other); }
    Handle& operator=(Handle&& other) noexcept {
        Handle(std::move(other)).swap(*this);
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (handle_ != VK_NULL_HANDLE) {
            (table_->*Destroy)(device_, handle_, nullptr);
        }
    }

    [[nodiscard]] H get() const { return handle_; }
    explicit operator bool() const { return handle_ != VK_NULL_HANDLE; }

private:
    void swap(Handle& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(table_, other.table_);
        std::swap(handle_, other.handle_);
    }

    VkDevice device_ = VK_NULL_HANDLE;
    const VolkDeviceTable* table_ = nullptr;
    H handle_ = VK_NULL_HANDLE;
};

using BufferHandle = Handle<VkBuffer, &VolkDeviceTable::vkDestroyBuffer>;
using ImageHandle = Handle<VkImage, &VolkDeviceTable::vkDestroyImage>;
using ImageViewHandle = Handle<VkImageView, &VolkDeviceTable::vkDestroyImageView>;
using SamplerHandle = Handle<VkSampler, &VolkDeviceTable::vkDestroySampler>;
using MemoryHandle = Handle<VkDeviceMemory, &VolkDeviceTable::vkFreeMemory>;
using ShaderModuleHandle = Handle<VkShaderModule, &VolkDeviceTable::vkDestroyShaderModule>;
using PipelineHandle = Handle<VkPipeline, &VolkDeviceTable::vkDestroyPipeline>;
using PipelineLayoutHandle = Handle<VkPipelineLayout, &VolkDeviceTable::vkDestroyPipelineLayout>;
using PipelineCacheHandle = Handle<VkPipelineCache, &VolkDeviceTable::vkDestroyPipelineCache>;
using SetLayoutHandle =
    Handle<VkDescriptorSetLayout, &VolkDeviceTable::vkDestroyDescriptorSetLayout>;
using DescriptorPoolHandle = Handle<VkDescriptorPool, &VolkDeviceTable::vkDestroyDescriptorPool>;
using CommandPoolHandle = Handle<VkCommandPool, &VolkDeviceTable::vkDestroyCommandPool>;
using QueryPoolHandle = Handle<VkQueryPool, &VolkDeviceTable::vkDestroyQueryPool>;
using SemaphoreHandle = Handle<VkSemaphore, &VolkDeviceTable::vkDestroySemaphore>;

} // namespace sluice::vulkan
