// SPDX-License-Identifier: Apache-2.0
// Allocation and writing of descriptor sets.
#include "core/vulkan/descriptor_sets.h"

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/dispatch.h"
#include "core/vulkan/pipeline.h"

namespace sluice::vulkan {

namespace {

constexpr std::uint32_t kSetsPerPool = 64;

} // namespace

Status DescriptorSets::add_pool(const Device& device) {
    constexpr std::array kSizes{
        VkDescriptorPoolSize{.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                             .descriptorCount = kSetsPerPool * kMaxBindings},
        VkDescriptorPoolSize{.type = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                             .descriptorCount = kSetsPerPool * kMaxTextures},
        VkDescriptorPoolSize{.type = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
                             .descriptorCount = kSetsPerPool * kMaxTextures},
    };
    const VkDescriptorPoolCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = kSetsPerPool,
        .poolSizeCount = kSizes.size(),
        .pPoolSizes = kSizes.data(),
    };
    VkDescriptorPool raw = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkCreateDescriptorPool(device.handle(), &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateDescriptorPool"));
    }
    pools_.push_back(device.own<DescriptorPoolHandle>(raw));
    sets_left_ = kSetsPerPool;
    return {};
}

Result<VkDescriptorSet> DescriptorSets::allocate(const Device& device,
                                                 VkDescriptorSetLayout layout) {
    if (sets_left_ == 0) {
        SLUICE_TRY(add_pool(device));
    }
    --sets_left_;
    const VkDescriptorSetAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = pools_.back().get(),
        .descriptorSetCount = 1,
        .pSetLayouts = &layout,
    };
    VkDescriptorSet set = VK_NULL_HANDLE;
    if (const VkResult result =
            device.table().vkAllocateDescriptorSets(device.handle(), &info, &set);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkAllocateDescriptorSets"));
    }
    return set;
}

Result<VkDescriptorSet> DescriptorSets::of_buffers(Device& device,
                                                   std::span<const Binding> buffers) {
    SLUICE_TRY_ASSIGN(const VkDescriptorSet set,
                      allocate(device, device.pipelines().buffer_set_layout()));
    std::array<VkDescriptorBufferInfo, kMaxBindings> infos{};
    std::array<VkWriteDescriptorSet, kMaxBindings> updates{};
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
        const BufferRange& range = buffers[i].range;
        infos[i] = {.buffer = range.buffer, .offset = range.offset, .range = range.bytes};
        updates[i] = {
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
            .dstSet = set,
            .dstBinding = i,
            .descriptorCount = 1,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .pBufferInfo = &infos[i],
        };
    }
    device.table().vkUpdateDescriptorSets(
        device.handle(), static_cast<std::uint32_t>(buffers.size()), updates.data(), 0, nullptr);
    return set;
}

Result<VkDescriptorSet> DescriptorSets::of_textures(Device& device,
                                                    std::span<const TextureBinding> textures) {
    SLUICE_TRY_ASSIGN(const VkDescriptorSet set,
                      allocate(device, device.pipelines().texture_set_layout()));
    std::array<VkDescriptorImageInfo, std::size_t{2} * kMaxTextures> infos{};
    std::array<VkWriteDescriptorSet, std::size_t{2} * kMaxTextures> updates{};
    std::uint32_t next_sampled = 0;
    std::uint32_t next_storage = kMaxTextures;
    for (std::uint32_t i = 0; i < textures.size(); ++i) {
        const TextureBinding& texture = textures[i];
        const bool sampled = texture.sampler != VK_NULL_HANDLE;
        infos[i] = {
            .sampler = texture.sampler, .imageView = texture.view, .imageLayout = texture.layout};
        updates[i] = {
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
            .dstSet = set,
            .dstBinding = sampled ? next_sampled++ : next_storage++,
            .descriptorCount = 1,
            .descriptorType = sampled ? VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER
                                      : VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
            .pImageInfo = &infos[i],
        };
    }
    device.table().vkUpdateDescriptorSets(
        device.handle(), static_cast<std::uint32_t>(textures.size()), updates.data(), 0, nullptr);
    return set;
}

} // namespace sluice::vulkan
