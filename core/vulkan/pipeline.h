// SPDX-License-Identifier: Apache-2.0
// Pipelines: shaders of the build with their specialisation constants, made once per device and
// kept on disk by the driver's cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/vulkan/api.h"
#include "core/vulkan/shader.h"

namespace sluice::vulkan {

class Device;

// All pipelines have one layout: set 0 holds kMaxBindings storage buffers (bindings 0 ..), set 1
// holds kMaxTextures combined image samplers and, after them, as many storage images; push
// constants are kPushBytes bytes. A shader declares those that it uses.
inline constexpr std::uint32_t kMaxBindings = 8;
inline constexpr std::uint32_t kMaxTextures = 4;
inline constexpr std::uint32_t kPushBytes = 128;

struct PipelineKey {
    Shader shader{};
    // constant_id 0, 1, … in order, 32 bits each (uint, int, float or bool by their bits).
    std::span<const std::uint32_t> constants;
};

// Thread-safe. Owned by the Device.
class PipelineStore {
public:
    [[nodiscard]] static Result<std::unique_ptr<PipelineStore>> create(Device& device);
    ~PipelineStore();

    // Valid as long as the device. Compiles at the first request only.
    [[nodiscard]] Result<VkPipeline> get(const PipelineKey& key);
    [[nodiscard]] VkPipelineLayout layout() const;
    [[nodiscard]] VkDescriptorSetLayout buffer_set_layout() const;
    [[nodiscard]] VkDescriptorSetLayout texture_set_layout() const;
    [[nodiscard]] std::size_t size() const;
    // Writes what the driver compiled to $XDG_CACHE_HOME/sluice/pipelines/<device>.bin by rename;
    // create() reads it, after checking its header against the device. Failure costs time only.
    void save() const;

private:
    struct State;
    explicit PipelineStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::vulkan
