// SPDX-License-Identifier: Apache-2.0
// What a device can dispatch.
#include "core/vulkan/dispatch.h"

#include <algorithm>
#include <cstddef>
#include <format>
#include <iterator>
#include <string>

#include "core/base/result.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

Status check(const Dispatch& dispatch, const DeviceProfile& profile) {
    const auto refuse = [&](std::string why) {
        return fail(ErrorCode::Internal, "dispatch of {}: {}", name(dispatch.shader), why);
    };
    if (dispatch.buffers.size() > kMaxBindings) {
        return refuse(std::format("{} buffers, at most {}", dispatch.buffers.size(), kMaxBindings));
    }
    for (std::size_t i = 0; i < dispatch.buffers.size(); ++i) {
        const BufferRange& range = dispatch.buffers[i].range;
        if (range.buffer == VK_NULL_HANDLE || range.bytes == 0) {
            return refuse(std::format("binding {} has no buffer or no bytes", i));
        }
        if (range.offset % profile.storage_offset_alignment != 0) {
            return refuse(std::format("binding {} at offset {} is not aligned to {}", i,
                                      range.offset, profile.storage_offset_alignment));
        }
        if (range.bytes > profile.max_storage_range) {
            return refuse(std::format("binding {} has {} bytes, '{}' binds at most {}", i,
                                      range.bytes, profile.name, profile.max_storage_range));
        }
    }
    const auto storage =
        std::ranges::count(dispatch.textures, VkSampler{VK_NULL_HANDLE}, &TextureBinding::sampler);
    const auto sampled = std::ssize(dispatch.textures) - storage;
    if (std::max(storage, sampled) > std::ptrdiff_t{kMaxTextures}) {
        return refuse(std::format("{} textures and {} storage images, at most {} each", sampled,
                                  storage, kMaxTextures));
    }
    if (dispatch.push.size() > kPushBytes || dispatch.push.size() % 4 != 0) {
        return refuse(std::format("{} bytes of push constants, at most {} in words of 4",
                                  dispatch.push.size(), kPushBytes));
    }
    if (std::ranges::max(dispatch.groups) > profile.max_workgroups_x ||
        std::ranges::min(dispatch.groups) == 0) {
        return refuse(std::format("{} x {} x {} workgroups, '{}' runs 1 to {} in each direction",
                                  dispatch.groups[0], dispatch.groups[1], dispatch.groups[2],
                                  profile.name, profile.max_workgroups_x));
    }
    return {};
}

} // namespace sluice::vulkan
