// SPDX-License-Identifier: Apache-2.0
// Dispatch: one run of a shader, with all that it binds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/base/result.h"
#include "core/vulkan/api.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/pipeline.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/shader.h"

namespace sluice::vulkan {

enum class Access : std::uint8_t { Read, Write, ReadWrite };

struct Binding {
    BufferRange range;
    Access access = Access::Read;
};

// An image in VK_IMAGE_LAYOUT_GENERAL or SHADER_READ_ONLY_OPTIMAL, bound as a sampled texture or a
// storage image.
struct TextureBinding {
    VkImage image = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    VkSampler sampler = VK_NULL_HANDLE; // null: a storage image
    VkImageLayout layout = VK_IMAGE_LAYOUT_GENERAL;
    Access access = Access::Read;
};

struct Dispatch {
    Shader shader{};
    std::span<const std::uint32_t> constants; // specialisation
    std::span<const Binding> buffers;         // bindings 0 .. of set 0
    // Of set 1: the nth texture is binding n, the nth storage image binding kMaxTextures + n.
    std::span<const TextureBinding> textures;
    std::span<const std::byte> push; // at most kPushBytes
    std::array<std::uint32_t, 3> groups{1, 1, 1};
};

// Internal for what such a device cannot run: a range that is misaligned or too large, too many
// bindings or workgroups.
[[nodiscard]] Status check(const Dispatch& dispatch, const DeviceProfile& profile);

// The bytes of a push-constant block.
template <typename T>
    requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::span<const std::byte> push_bytes(const T& value) {
    static_assert(sizeof(T) <= kPushBytes);
    return std::as_bytes(std::span(&value, 1));
}

} // namespace sluice::vulkan
