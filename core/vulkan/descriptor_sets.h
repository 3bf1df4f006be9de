// SPDX-License-Identifier: Apache-2.0
// The descriptor sets of one recording.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/dispatch.h"
#include "core/vulkan/handle.h"

namespace sluice::vulkan {

// Sets live as long as this; all calls name one device, which is not held.
class DescriptorSets {
public:
    // A set 0 that binds these, at most kMaxBindings.
    [[nodiscard]] Result<VkDescriptorSet> of_buffers(Device& device,
                                                     std::span<const Binding> buffers);
    // A set 1 that binds these, at most kMaxTextures of either kind.
    [[nodiscard]] Result<VkDescriptorSet> of_textures(Device& device,
                                                      std::span<const TextureBinding> textures);

private:
    [[nodiscard]] Status add_pool(const Device& device);
    [[nodiscard]] Result<VkDescriptorSet> allocate(const Device& device,
                                                   VkDescriptorSetLayout layout);

    std::vector<DescriptorPoolHandle> pools_;
    std::uint32_t sets_left_ = 0; // in the last pool
};

} // namespace sluice::vulkan
